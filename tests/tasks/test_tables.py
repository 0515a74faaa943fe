from diffstn.store.markdown import markdown, result_table


def test_markdown_is_aligned():
    assert markdown(["a", "long"], [["wide cell", 1]]) == (
        "| a         | long |\n|-----------|------|\n| wide cell | 1    |"
    )


def test_a_pose_models_results():
    pose = {"rotation_deg": 1.234, "corner_px": 0.5}
    per_class = {"0": 99.0, "1": 97.0}
    metrics = {
        "uncorrected": 60.0,
        "oracle": 99.0,
        "k": {
            "1": {"accuracy": 97.0, "pose": pose, "per_class": {"0": 97.0, "1": 97.0}},
            "16": {"accuracy": 98.0, "pose": pose, "per_class": per_class},
        },
    }
    lines = result_table(metrics).splitlines()
    assert lines[0].split("|")[2:-1] == [" accuracy % ", " rotation ° ", " corners px "]
    assert [line.split("|")[1].strip() for line in lines[2:6]] == [
        "uncorrected",
        "corrected, k = 1",
        "corrected, k = 16",
        "oracle",
    ]
    assert "1.23" in lines[3]
    assert lines[-1].split("|")[2:-1] == [" 99.0 ", " 97.0 "]


def test_a_model_of_another_family_has_no_pose_errors():
    numbers = {"accuracy": 50.0, "pose": {}, "per_class": {"0": 50.0}}
    table = result_table({"uncorrected": 40.0, "oracle": 60.0, "k": {"1": numbers}})
    assert table.splitlines()[0].split("|")[1:-1] == ["             ", " accuracy % "]
    assert "| corrected   | 50.0 " in table


def test_a_classifiers_results():
    table = result_table({"accuracy": 99.5, "per_class": {"0": 99.0}})
    assert "| accuracy % | 99.5 |" in table
