from diffstn.hardware import choose_hardware
from diffstn.store.protocol import protocol


def test_the_length_that_counted_is_told(config):
    """A training by steps, or by minutes that came to steps, has no number of epochs."""
    settings, hardware = config(), choose_hardware()
    by_epochs = protocol(settings, {}, hardware)
    assert by_epochs["epochs"] == settings["epochs"]
    assert "steps" not in by_epochs
    settings["trainer"]["max_steps"] = 7
    by_steps = protocol(settings, {}, hardware)
    assert by_steps["steps"] == 7
    assert "epochs" not in by_steps


def test_what_the_task_says_of_its_measure_is_told(config):
    found = protocol(config(), {"protocol": {"samples": 5}}, choose_hardware())
    assert found["samples"] == 5
