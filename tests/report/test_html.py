"""Text that cannot become markup."""

import json

import pytest

from diffstn.report.html import Html, data_block, element, joined, plain


def test_text_is_escaped_and_markup_of_ours_is_not():
    made = element("p", "a < b & ", element("b", '"c"'), title="\"'>", data_x=3, hidden=False)
    assert made == (
        '<p title="&quot;&#x27;&gt;" data-x="3">a &lt; b &amp; <b>&quot;c&quot;</b></p>'
    )
    assert element("input", checked=True, class_=None) == "<input checked>"
    assert joined(["a", [Html("<i>"), None]], (str(i) for i in range(2))) == "a<i>01"


def test_what_steers_a_terminal_is_not_shown():
    assert plain("a\x1b[31m\u202eb\ud800\n") == "a\ufffd[31m\ufffdb\ufffd\n"
    assert plain("é ± 文") == "é ± 文"
    assert len(plain("x" * 9999)) == 4001


def test_data_do_not_end_their_block():
    content = {"</script><!--": ["<", "&", "\u2028"]}
    block = data_block("data", content)
    assert block.count("<") == 2
    inner = block[block.index(">") + 1 : block.rindex("</script>")]
    assert json.loads(inner) == content
    with pytest.raises(ValueError, match="JSON"):
        data_block("data", [float("nan")])
