import csv
import io
import re
import time
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.errors import InvalidInputError, PreconditionError
from gateway.audiences import Audiences
from gateway.settings import GatewaySettings
from productimage.generation.v1.generation_pb2 import Audience


@pytest.fixture(scope="module")
def audiences(tmp_path_factory: pytest.TempPathFactory) -> Audiences:
    users = tmp_path_factory.mktemp("users") / "users.csv"
    users.write_text('uid,tags\na,"1001,2002,4001"\na,4004\nb,"1002,2005"\n王,"1002,2001,4003"\n', encoding="utf-8")
    return Audiences(GatewaySettings().audience_file, users)


def values(audiences: Audiences, data: bytes) -> tuple[list[int], list[int], list[int]]:
    charts = audiences.count(data)
    return charts["gender"].values, charts["age"].values, charts["interest"].values


def test_the_options_are_the_frontends(audiences: Audiences) -> None:
    options = audiences.options
    assert list(options) == ["gender", "age", "interest"]
    assert options["gender"] == {"option1": "男性", "option2": "女性"}
    assert list(options["age"].values()) == ["18-24", "25-34", "35-44", "45-54", "55+"]
    assert list(options["interest"].values()) == ["運動體育", "寵物生活", "嬰幼保健", "動漫電競", "戶外旅遊"]


def test_every_row_counts_for_all_the_tags_of_its_user(audiences: Audiences) -> None:
    gender, age, interest = values(audiences, b"uid\na\nb\na\nunknown\n\n")
    assert gender == [2, 1]
    assert age == [0, 2, 0, 0, 1]
    assert interest == [2, 0, 0, 2, 0]


@pytest.mark.parametrize(
    "data",
    [
        "name,uid,more\n王小明,a,x\n李,王,y\n".encode(),
        "name,uid,more\r\n王小明,a,x\r\n李,王,y\r\n".encode("utf-8-sig"),
        "name,uid,more\n王小明,a,x\n李,王,y\n".encode("cp950"),
        "name,uid,more\n王小明,a,x\n李,王,y\n".encode("utf-16"),
        'Name, UID ,more\n"王, 小明",a,x\n李, 王 ,y\nshort\n'.encode(),
    ],
)
def test_every_usual_encoding_is_read(audiences: Audiences, data: bytes) -> None:
    assert values(audiences, data)[0] == [1, 1]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"id,name\na,b\n", "no uid column. It has: id, name"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe\xfd", "cannot be read as text"),
        (b"uid\n" + b'"' + b"x" * 200_000 + b'"\n', "cannot be read"),
    ],
)
def test_unusable_files_are_refused_in_words(audiences: Audiences, data: bytes, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        audiences.count(data)


def test_only_a_header_counts_nobody(audiences: Audiences) -> None:
    assert values(audiences, b"uid\n") == ([0, 0], [0] * 5, [0] * 5)


def test_a_hundred_thousand_rows_are_counted(audiences: Audiences) -> None:
    start = time.process_time()
    gender, _, _ = values(audiences, b"uid\n" + b"a\nb\nnobody\nb\n" * 25_000)
    assert gender == [25_000, 50_000]
    assert time.process_time() - start < 30, "counting must not be quadratic"


@pytest.mark.parametrize(
    "chosen",
    [
        "男性,25-34,戶外旅遊",
        "1001,2002,4005",
        "option1,option2,option5",
        "male, 25-34, outdoor",
        "男性，25-34，戶外旅遊",
    ],
)
def test_a_choice_is_understood_in_every_form(audiences: Audiences, chosen: str) -> None:
    assert audiences.parse(chosen) == Audience(gender="male", age="25-34", interest="outdoor")


@pytest.mark.parametrize("order", list(permutations(("女性", "25-34", "outdoor"))))
def test_the_parts_come_in_any_order_and_language(audiences: Audiences, order: tuple[str, ...]) -> None:
    assert audiences.parse(",".join(order)) == Audience(gender="female", age="25-34", interest="outdoor")


@pytest.mark.parametrize("chosen", ["", ",,", "all,all,all", "不限", "ALL, 全部"])
def test_who_names_nobody_means_everybody(audiences: Audiences, chosen: str) -> None:
    assert audiences.parse(chosen) == Audience()


@pytest.mark.parametrize(
    "chosen", ["nobody,knows,this", "../../etc", "women,30,hikeng", "17", "女性,25-34,x", "option3"]
)
def test_an_unknown_part_is_refused_with_the_list(audiences: Audiences, chosen: str) -> None:
    with pytest.raises(PreconditionError, match=r"女性 \(female\).*25-34.*戶外旅遊 \(outdoor\)") as caught:
        audiences.parse(chosen)
    assert caught.value.reason == "UNKNOWN_AUDIENCE"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("women, 30, hiking", "女性,25-34,戶外旅遊"),
        ("Women 30 hiking", "女性,25-34,戶外旅遊"),
        ("媽媽、38歲", "不限,35-44,嬰幼保健"),
        ("men aged", None),
        ("70 years old", "不限,55+,不限"),
        ("", "不限,不限,不限"),
    ],
)
def test_peoples_words_are_understood(audiences: Audiences, text: str, meant: str | None) -> None:
    if meant is None:
        with pytest.raises(PreconditionError, match="men aged"):
            audiences.understand(text)
    else:
        assert ",".join(audiences.understand(text).values()) == meant


def test_no_word_means_two_tags(audiences: Audiences) -> None:
    words = [word for tags in audiences._tags.values() for tag in tags for word in (tag.label, tag.value, *tag.words)]
    assert all(word == word.casefold() for word in words), "words are compared in lower case"
    several = {word for word in words if words.count(word) > 1}
    assert not {word for word in several if not re.fullmatch(r"\d\d(-\d\d|\+)", word)}, several


def test_two_of_one_category_are_refused(audiences: Audiences) -> None:
    with pytest.raises(PreconditionError, match="two of age") as caught:
        audiences.parse("25-34,35-44")
    assert caught.value.reason == "AUDIENCE_TWICE"
    assert audiences.parse("female,女性") == Audience(gender="female")


def test_the_sample_users_have_known_tags() -> None:
    settings = GatewaySettings()
    rows = Path(settings.users_file).read_text(encoding="utf-8").split()
    counted = Audiences(settings.audience_file, settings.users_file).count(
        "\n".join(["uid", *(row.split(",")[0] for row in rows[1:])]).encode()
    )
    assert sum(counted["gender"].values) >= 20
    assert all(all(chart.values) for chart in counted.values())


@given(
    rows=st.lists(st.tuples(st.text(), st.sampled_from(["a", "b", "王", " a ", "unknown", ""]))),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_any_list_is_counted_row_by_row(
    audiences: Audiences, rows: list[tuple[str, str]], encoding: str, line_end: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(["name", "uid"])
    rows = [(re.sub(r"[\0\ud800-\udfff]", "", name), uid) for name, uid in rows]
    writer.writerows(rows)
    gender, _, _ = values(audiences, text.getvalue().encode(encoding))
    known = [uid.strip() for _, uid in rows]
    assert gender == [known.count("a"), known.count("b") + known.count("王")]


@given(st.binary())
@example(b"\xff\xfeu\x00i\x00d")
@example(b'uid\n"')
def test_any_bytes_are_counted_or_refused_with_a_reason(audiences: Audiences, data: bytes) -> None:
    try:
        charts = audiences.count(data)
    except InvalidInputError:
        return
    assert set(charts) == {"gender", "age", "interest"}
