"""Ordinary business code in bulk: functions and classes that loop over rows and build dicts.

Nobody runs it. It is valid, it is imported, and it has the statements, the names and the calls in
calls that a scanner meets in a project of that size.
"""

from random import Random

VERBS = (
    *("adjust", "allocate", "balance", "build", "check", "classify", "collect", "combine"),
    *("compare", "compute", "convert", "count", "derive", "distribute", "estimate", "expand"),
    *("filter", "find", "forecast", "gather", "limit", "list", "mark", "match", "measure"),
    *("merge", "normalize", "order", "pick", "plan", "prepare", "project", "rank", "reduce"),
    *("repair", "resolve", "round", "scale", "select", "split", "spread", "summarize", "trim"),
)
FIELDS = (
    "name",
    "state",
    "amount",
    "total",
    "age",
    "group",
    "weight",
    "region",
    "currency",
    "rank",
)
IMPORTS = """\
from depot.shared.tables import group_rows, sort_rows, sum_rows
from depot.shared.text import make_key, make_slug, read_number, shorten
"""

# Statements of a function that has `rows` (dicts), `options` (a dict), `result` (a dict).
_STATEMENTS = (
    """\
for row in rows:
    value = row.get("{a}") or 0
    if value > {n}:
        result["{a}_high"] = result.get("{a}_high", 0) + 1
    elif value:
        result["{a}_low"] = result.get("{a}_low", 0) + 1
    else:
        result.setdefault("{a}_missing", []).append(row.get("name"))
""",
    """\
chosen = [row for row in rows if row.get("{a}") and row.get("{b}") != options.get("{b}")]
if not chosen:
    return {{**result, "{a}": None}}
rows = sort_rows(chosen, "{a}", "{b}")
""",
    """\
# The {a} counts once for each {b}: later rows only add to it.
by_{b} = group_rows(rows, "{b}")
result["by_{b}"] = {{key: sum_rows(members, "{a}") for key, members in by_{b}.items()}}
""",
    """\
texts = []
for number, row in enumerate(rows[:{n}], 1):
    text = f"{{number}}. {{row.get('{a}', '')}}".strip()
    if text.endswith("."):
        text = text.rstrip(".") + f" ({{make_slug(row.get('{b}', ''))}})"
    texts.append(shorten(text, {n} + 20))
result["{a}_text"] = "\\n".join(texts)
""",
    """\
try:
    limit = int(options["{a}_limit"])
except (KeyError, ValueError):
    limit = {n}
result["{a}_limit"] = max(limit, len(rows))
""",
    """\
position = 0
while position < len(rows):
    part = rows[position : position + {n}]
    result[f"part_{{position}}"] = {{
        "first": part[0].get("{a}"),
        "size": len(part),
        "sum": sum(row.get("{b}") or 0 for row in part),
    }}
    position += {n}
""",
    """\
known = {{make_key(row.get("{a}"), row.get("{b}")): row for row in rows}}
wanted = set(options.get("{a}", "").split(","))
for key in sorted(known.keys() & wanted):
    result[key] = {{"{a}": known[key].get("{a}"), "index": len(result)}}
""",
    """\
def weigh(row, factor={n}):
    return (row.get("{a}") or 0) * factor + len(str(row.get("{b}")))

heaviest = max(rows, key=weigh, default=None)
if heaviest is not None:
    result["heaviest_{a}"] = heaviest.get("name")
""",
    """\
steps = {{"{a}": {n}, "{b}": read_number(options.get("{b}"), 1)}}
for name, step in steps.items():
    result[name] = [value for value in range(0, {n} * 10, max(step, 1)) if value % 3]
""",
    """\
state = options.get("state", "{a}")
if state == "{a}":
    result["state"] = "open"
elif state in ("{b}", "closed"):
    result["state"] = "closed"
    return result
else:
    result.update(state=state, changed=True)
""",
)
_CALLS = (
    "result[{key!r}] = {callee}(rows, options)\n",
    "result.update({callee}(rows[:{n}], {{**options, 'depth': {n}}}))\n",
    "if options.get({key!r}):\n    result |= {callee}(rows, options)\n",
    "for part in group_rows(rows, {key!r}).values():\n    result.update({callee}(part, options))\n",
)
_DOCSTRINGS = (
    '"""Return what the {a} of {plural} says of their {b}."""\n',
    '"""{Verb} {plural} by {a}."""\n',
    '"""{Verb} {plural} by {a}.\n\nThe {b} is taken from the options, or counted.\n\n'
    "Args:\n    rows: The {plural}, each with its {a}.\n    options: What the user chose.\n\n"
    'Returns:\n    The parts, by name.\n"""\n',
)


class BusinessModule:
    """The text of one module, and the functions in it that others may call.

    Args:
        random: Decides everything.
        purpose: What the module is named for, such as "pricing".
        plural: What it is about, such as "orders".
        outside: Dotted callables of other modules that it may call.

    Attributes:
        functions: The names of its functions, in their order.
    """

    def __init__(
        self, random: Random, purpose: str, plural: str, outside: tuple[str, ...] = ()
    ) -> None:
        self.functions: list[str] = []
        self._random = random
        self._plural = plural
        self._outside = outside
        self._purpose = purpose
        self._taken: set[str] = set()
        modules = sorted({name.partition(".")[0] for name in outside})
        package = "from depot.{singular} import " + ", ".join(modules) + "\n" if modules else ""
        self._blocks = [
            f'"""The {purpose} of {plural}."""\n\nimport datetime as dt\n\n{package}{IMPORTS}'
        ]

    def render(self, singular: str) -> str:
        """Return the source."""
        return "\n\n".join(self._blocks).replace("{singular}", singular)

    @property
    def line_count(self) -> int:
        """How many lines it has so far."""
        return "\n\n".join(self._blocks).count("\n")

    def add_function(self) -> None:
        """Add a function that may call those before it."""
        name = self._name("_")
        lines = [self._write_docstring(name), "result = {}\n", *self._write_statements()]
        lines.append("return result\n")
        self._blocks.append(f"def {name}(rows, options):\n{_indent(''.join(lines))}")
        self.functions.append(name)

    def add_class(self) -> None:
        """Add a base class and one that extends it, and a function that uses the latter."""
        name = self._name("_")
        title = name.title().replace("_", "")
        steps = [self._random.choice(VERBS) + "_step" for _ in range(3)]
        steps = list(dict.fromkeys(steps))
        base = [f'"""{self._purpose.title()} in steps."""\n\nlimit = {self._number()}\n\n']
        base.append(
            "def __init__(self, rows, options):\n    self.rows = list(rows)\n"
            "    self.options = dict(options)\n    self.made_at = dt.datetime.now()\n\n"
            "def run(self):\n    result = {'rows': len(self.rows)}\n"
        )
        base += [f"    result = self.{step}(result)\n" for step in steps]
        base.append("    return result\n")
        for step in steps:
            base.append(f"\ndef {step}(self, result):\n{_indent(self._write_step())}")
        child = [f'"""{self._purpose.title()} with the exceptions of {self._plural}."""\n']
        child.append(
            f"\ndef {steps[0]}(self, result):\n    result = super().{steps[0]}(result)\n"
            f"    if len(self.rows) > self.limit:\n        self.rows = self.rows[: self.limit]\n"
            "    return result\n"
        )
        self._blocks.append(f"class {title}Base:\n{_indent(''.join(base))}")
        self._blocks.append(f"class {title}({title}Base):\n{_indent(''.join(child))}")
        self._blocks.append(
            f"def {name}(rows, options):\n    return {title}(rows, options).run()\n"
        )
        self.functions.append(name)

    def _write_statements(self) -> list[str]:
        count = self._random.randint(2, 5)
        written = [self._fill(text) for text in self._random.sample(_STATEMENTS, count)]
        for callee in self._choose_callees():
            call = self._random.choice(_CALLS)
            text = call.format(callee=callee, key=self._random.choice(FIELDS), n=self._number())
            written.insert(self._random.randint(0, len(written)), text)
        return written

    def _write_step(self) -> str:
        statement = self._fill(self._random.choice(_STATEMENTS))
        return f"rows, options = self.rows, self.options\n{statement}return result\n"

    def _write_docstring(self, name: str) -> str:
        verb = name.partition("_")[0].title()
        text = self._random.choices(("", *_DOCSTRINGS), (3, 3, 3, 1))[0]
        first, second = self._random.sample(FIELDS, 2)
        return text.format(a=first, b=second, plural=self._plural, Verb=verb)

    def _choose_callees(self) -> list[str]:
        near = self.functions[-12:]
        callees = self._random.sample(near, min(len(near), self._random.randint(0, 2)))
        if self._outside and self._random.random() < 0.3:
            callees.append(self._random.choice(self._outside))
        return callees

    def _name(self, separator: str) -> str:
        while True:
            words = (self._random.choice(VERBS), self._random.choice(FIELDS), self._purpose)
            name = separator.join(words)
            if name in self._taken:
                name = f"{name}_{len(self._taken)}"
            if name not in self._taken:
                self._taken.add(name)
                return name

    def _fill(self, text: str) -> str:
        first, second = self._random.sample(FIELDS, 2)
        return text.format(a=first, b=second, n=self._number())

    def _number(self) -> int:
        return self._random.randint(2, 60)


def _indent(text: str) -> str:
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(True))
