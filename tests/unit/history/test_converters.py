"""Records as messages, whichever version wrote them."""

from services.history.converters import record_message


def test_preferences_are_read_under_their_earlier_name() -> None:
    shown = {"write_date": "20261126093000", "product_name": "Flask", "generated_images": [], "sequence": 3}
    message = record_message({**shown, "wishes": {"scene": "on a pier", "style": "seaside"}})
    assert (message.preferences.scene, message.preferences.style) == ("on a pier", "seaside")
    assert not record_message(shown).HasField("preferences")
