"""Values and bytes that are not what they should be."""

import copy

from hypothesis import strategies as st

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 255, 256, 10**30, 10**400, 2**63, 0.5, -1e308, float("nan"), float("inf")]),
    st.sampled_from(
        ["", " ", "A", "undo", "../../outside", "/etc/passwd", "\ud800", "\0", "#12345G", "nan", "é" * 300]
    ),
    st.sampled_from([[], {}, [[]], [None], {"": None}, [1, 2], ["A"], [[1e999, 2]], {"type": "stroke"}]),
)


@st.composite
def damaged_bytes(draw, whole):
    """The bytes with pieces cut out, doubled, overwritten or put in."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        a = draw(st.integers(0, len(content)))
        b = min(len(content), a + draw(st.integers(0, 40)))
        match draw(st.sampled_from(["cut", "double", "overwrite", "end"])):
            case "cut":
                del content[a:b]
            case "double":
                content[a:a] = content[a:b]
            case "overwrite":
                content[a:b] = draw(st.binary(min_size=b - a, max_size=b - a))
            case "end":
                del content[a:]
    return bytes(content)


@st.composite
def damaged_json(draw, values):
    """Values with some replaced by junk, some taken out."""
    values = copy.deepcopy(values)
    for _ in range(draw(st.integers(1, 3))):
        at = values
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(at[key], dict | list) and at[key] and draw(st.integers(0, 4)):
                at = at[key]
                continue
            if draw(st.integers(0, 3)):
                at[key] = copy.deepcopy(draw(JUNK))
            else:
                del at[key]
            break
    return values
