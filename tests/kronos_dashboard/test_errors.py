from kronos_dashboard.errors import DashboardError, WindowError


def test_an_error_reads_as_one_line_with_its_hint() -> None:
    error = WindowError("the horizon is 0.", "Choose at least 1.")
    assert str(error) == "the horizon is 0. Choose at least 1."
    assert (error.message, error.hint) == ("the horizon is 0.", "Choose at least 1.")


def test_an_error_without_a_hint_reads_as_its_message() -> None:
    assert str(DashboardError("no.")) == "no."


def test_a_window_error_is_also_a_value_error() -> None:
    assert issubclass(WindowError, ValueError)
