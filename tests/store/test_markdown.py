from diffstn.store.markdown import by_name, markdown, rows_by_name


def test_columns_are_aligned():
    assert markdown(["a", "long"], [["wide cell", 1]]) == (
        "| a         | long |\n|-----------|------|\n| wide cell | 1    |"
    )


def test_one_row_and_rows_by_name():
    assert by_name("class", "%", {"0": 9.5, "1": 8}) == markdown(
        ["class", "0", "1"], [["%", 9.5, 8]]
    )
    rows = {"train": {"FID": 1.5, "KID": 2}, "test": {"FID": 3.5, "KID": 4}}
    assert rows_by_name(rows) == markdown(["", "FID", "KID"], [["train", 1.5, 2], ["test", 3.5, 4]])
