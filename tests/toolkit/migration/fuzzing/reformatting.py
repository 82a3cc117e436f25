"""Mutations of the text alone: its tree stays the same."""

import io
import random
import tokenize

import libcst as cst

_COMMENTS = (
    "# one",
    "# é ü €",
    "#!",
    "# type: ignore",
    "# noqa",
    "# time.sleep(1)",
    "# \u2028 \x0c",
)


def comment(text: str, chance: random.Random) -> str:
    """Comments and blank lines stand where they can."""
    return cst.parse_module(text).visit(_Commenting(chance)).code


def spread(text: str, chance: random.Random) -> str:
    """Arguments stand on lines of their own, or have odd spaces around them."""
    return cst.parse_module(text).visit(_Spreading(chance)).code


def fold(text: str, chance: random.Random) -> str:
    """Small blocks stand on the line of their `if` or `def`; lines are joined by semicolons."""
    return cst.parse_module(text).visit(_Folding(chance)).code


def indent_with_tabs(text: str, chance: random.Random) -> str:
    """The indentation is of another kind."""
    module = cst.parse_module(text)
    return module.with_changes(default_indent=chance.choice(["\t", "  ", "        ", " "])).code


def end_lines(text: str, chance: random.Random) -> str:
    """Lines end in another way, if no string would change by it."""
    end = chance.choice(["\r\n", "\r"])
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    has_long = any(token.type == tokenize.STRING and "\n" in token.string for token in tokens)
    return text if has_long else text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", end)


def mark(text: str, chance: random.Random) -> str:
    """A byte order mark or a form feed begins the file, or its last line has no end."""
    match chance.randrange(4):
        case 0:
            return "\ufeff" + text.removeprefix("\ufeff")
        case 1:
            return text.replace("\n\n\ndef", "\n\n\x0c\ndef").replace("\n\n\n@", "\n\n\x0c\n@")
        case 2:
            return "# -*- coding: utf-8 -*-\n" + text.removeprefix("\ufeff")
        case _:
            return text.rstrip()


class _Commenting(cst.CSTTransformer):
    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def _build_lines(self) -> list[cst.EmptyLine]:
        return [
            cst.EmptyLine(comment=cst.Comment(self._chance.choice(_COMMENTS[:-1])))
            if self._chance.random() < 0.5
            else cst.EmptyLine(indent=False)
            for _ in range(self._chance.randrange(3))
        ]

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine:
        if self._chance.random() < 0.3:
            end = updated_node.trailing_whitespace
            if end.comment is None:
                note = cst.Comment(self._chance.choice(_COMMENTS))
                end = end.with_changes(comment=note, whitespace=cst.SimpleWhitespace("  "))
            lines = [*updated_node.leading_lines, *self._build_lines()]
            return updated_node.with_changes(leading_lines=lines, trailing_whitespace=end)
        return updated_node

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        if self._chance.random() < 0.5:
            return updated_node.with_changes(
                leading_lines=[*updated_node.leading_lines, *self._build_lines()],
                lines_after_decorators=self._build_lines() if updated_node.decorators else [],
            )
        return updated_node


class _Spreading(cst.CSTTransformer):
    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self._held = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        return not isinstance(node, cst.FormattedString) and super().on_visit(node)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        match self._chance.randrange(8):
            case 0:
                return updated_node.with_changes(whitespace_after_func=cst.SimpleWhitespace(" "))
            case 1:
                return updated_node.with_changes(
                    lpar=[cst.LeftParen(), *updated_node.lpar],
                    rpar=[*updated_node.rpar, cst.RightParen()],
                )
            case 2 if updated_node.args:
                space = _build_break("# first" if self._chance.random() < 0.5 else "")
                args = [
                    arg.with_changes(comma=cst.Comma(whitespace_after=_build_break("")))
                    for arg in updated_node.args
                ]
                if isinstance(updated_node.args[0].value, cst.GeneratorExp):
                    return updated_node
                return updated_node.with_changes(whitespace_before_args=space, args=args)
            case 3:
                return updated_node.with_changes(
                    whitespace_after_func=cst.SimpleWhitespace(" \\\n    ")
                )
        return updated_node

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        if self._chance.random() < 0.3:
            first = updated_node.targets[0].with_changes(
                whitespace_before_equal=cst.SimpleWhitespace(""),
                whitespace_after_equal=cst.SimpleWhitespace(self._chance.choice(["", " \\\n  "])),
            )
            return updated_node.with_changes(targets=[first, *updated_node.targets[1:]])
        return updated_node


def _build_break(comment_text: str) -> cst.ParenthesizedWhitespace:
    line = cst.TrailingWhitespace(
        cst.SimpleWhitespace("  " if comment_text else ""),
        cst.Comment(comment_text) if comment_text else None,
    )
    return cst.ParenthesizedWhitespace(line, [], True, cst.SimpleWhitespace("  "))


class _Folding(cst.CSTTransformer):
    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.BaseSuite:
        lines = updated_node.body
        if self._chance.random() < 0.5 and all(
            isinstance(line, cst.SimpleStatementLine) and not line.leading_lines for line in lines
        ):
            small = [
                item.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
                for line in lines
                if isinstance(line, cst.SimpleStatementLine)
                for item in line.body
            ]
            if len(small) <= 3:
                return cst.SimpleStatementSuite(small)
        joined: list[cst.BaseStatement] = []
        for line in lines:
            last = joined[-1] if joined else None
            if (
                isinstance(line, cst.SimpleStatementLine)
                and isinstance(last, cst.SimpleStatementLine)
                and not line.leading_lines
                and last.trailing_whitespace.comment is None
                and self._chance.random() < 0.3
            ):
                body = [
                    item.with_changes(semicolon=cst.MaybeSentinel.DEFAULT) for item in last.body
                ]
                joined[-1] = line.with_changes(
                    body=[*body, *line.body], leading_lines=last.leading_lines
                )
            else:
                joined.append(line)
        return updated_node.with_changes(body=joined)
