from gateway.notes import together


def test_what_several_ads_have_in_common_is_said_once() -> None:
    notes = ["300x250: it looks soft.", "728x90: there is no room: none.", "336x280: it looks soft.", "A remark."]
    assert together(notes) == ["300x250, 336x280: it looks soft.", "728x90: there is no room: none.", "A remark."]
    assert together([]) == []
