"""`GROUP=<folder of a run>`: a trained model as a group's choice."""

from collections.abc import Sequence
from pathlib import Path

from diffstn.cli.conf import CONF
from diffstn.errors import UserError
from diffstn.store.run_folder import is_run, open_run


def with_runs(words: Sequence[str], search: Sequence[str] = ()) -> list[str]:
    """The words with `GROUP=<folder of a run>` as what it stands for: the choice that is called
    like the run's model, and `GROUP.run=<folder>`. Several folders, of a sweep, stay several.

    Raises:
        UserError: the group takes runs of other models, or a path leads to no run.
    """
    found: list[str] = []
    for word in words:
        group, _, said = word.partition("=")
        roots = [str(CONF), *search] if group.isidentifier() else []
        files = [file for root in roots for file in Path(root, group).glob("*.yaml")]
        files = [file for file in files if "\nrun:" in file.read_text()]
        takes = [file.stem for file in files if (CONF / "model" / file.name).exists()]
        folders = [one.strip("'\"") for one in said.split(",")]
        if group == "model" or not takes or not all("/" in one or is_run(one) for one in folders):
            found.append(word)
            continue
        models = {str(open_run(path, group).read_config()["choices"]["model"]) for path in folders}
        if len(models) > 1 or not models <= {*takes}:
            theirs, ours = (" or ".join(sorted(names)) for names in (models, takes))
            raise UserError(f"{word}: a run of model={theirs}; {group} takes one of model={ours}")
        found += [f"{group}={models.pop()}", f"{group}.run={said}"]
    return found
