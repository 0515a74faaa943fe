"""All hostile inputs, by what they attack."""

from tests.hostile import data, run_folders, weights, words
from tests.hostile.case import Case

GROUPS: dict[str, list[Case]] = {
    **words.GROUPS,
    **run_folders.GROUPS,
    **weights.GROUPS,
    **data.GROUPS,
}
