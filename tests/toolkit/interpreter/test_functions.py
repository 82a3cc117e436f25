"""A function is walked for each kind of arguments that it is called with."""

from flasync.toolkit.interpreter.functions import MAX_VARIANTS

from .projects import Project


def test_arguments_decide(project: Project) -> None:
    """Each call is followed with its own arguments."""
    code = "def run(f): f()\ndef slow(): time.sleep(1)\ndef free(): pass"
    assert project.scan_view(code, "run(free)").blocking == []


def test_once_for_equal_arguments(project: Project) -> None:
    """Calls with the same kind of arguments share one node."""
    view = project.scan_view("def f(x): time.sleep(x)", "f(1)\nf(2)\nf(3)")
    nodes = {id(node) for node in view.program.functions if node.name == "app.f"}
    assert len(nodes) == 1


def test_kinds_have_a_limit(project: Project) -> None:
    """Beyond a number of kinds of arguments a function is walked with unknown ones, once."""
    count = MAX_VARIANTS * 2
    classes = "\n".join(f"class C{number}: pass" for number in range(count))
    calls = "\n".join(f"f(C{number}())" for number in range(count))
    view = project.scan_view(f"{classes}\ndef f(x): time.sleep(1)", calls)
    assert len([node for node in view.program.functions if node.name == "app.f"]) <= count
    assert set(view.blocking) == {"time.sleep(…)"}


def test_binding(project: Project) -> None:
    """Positions, keywords, defaults, `*args` and `**kwargs` reach the parameters they belong to."""
    code = """
    def slow(): time.sleep(1)
    def none(): pass
    def f(a, b=slow, /, *rest, key=none, **others):
        return a, b, rest, key, others
    """
    calls = {
        "f(slow)[0]()": 1,
        "f(none)[1]()": 1,
        "f(none, none, slow)[2][0]()": 1,
        "f(none, key=slow)[3]()": 1,
        "f(none, other=slow)[4]['other']()": 1,
    }
    found = {call: len(project.scan_view(code, call).blocking) for call in calls}
    assert found == calls


def test_shortest_chain_comes_first(project: Project) -> None:
    """A place that is reached by several ways is shown by the shortest, outermost call first."""
    code = "def a(): b()\ndef b(): c()\ndef c(): time.sleep(1)"
    view = project.scan_view(code, "a()\nb()")
    [sleep] = [hit for hit in view.reached if hit.site.blocking is not None]
    assert [step.call for step in sleep.chain] == ["b()", "c()", "time.sleep(…)"]
    assert [step.function for step in sleep.chain] == ["app.index", "app.b", "app.c"]
