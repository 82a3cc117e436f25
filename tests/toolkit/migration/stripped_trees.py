"""What rewriting adds to a syntax tree, taken away again."""

import ast

_ADDED = {"await_", "call_in_thread", "on_loop", "run_sync"}


def parse_stripped(text: str) -> str:
    """The tree of a text without what rewriting adds: `async`, `await`, the names of flasync."""
    return ast.dump(_Stripping().visit(ast.parse(text)))


class _Stripping(ast.NodeTransformer):
    def visit_Await(self, node: ast.Await) -> ast.expr:
        return self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        return self._strip_call(node)

    def _strip_call(self, node: ast.Call) -> ast.expr:
        match _get_name(node.func), node.args:
            case "await_", [value]:
                return value
            case "run_sync" | "call_in_thread", [function, *rest]:
                return self._strip_call(ast.Call(function, rest, node.keywords))
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        fields = {name: getattr(node, name) for name in node._fields}
        return self.visit_FunctionDef(ast.FunctionDef(**fields))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.decorator_list = [
            item for item in node.decorator_list if _get_name(item) not in _ADDED
        ]
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        node.names = [alias for alias in node.names if alias.name != "flasync"]
        return node if node.names else None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        if node.module == "flasync":
            node.names = [alias for alias in node.names if alias.name not in _ADDED]
        node.names.sort(key=lambda alias: alias.name)
        return node if node.names else None


def _get_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="flasync"), attr=name):
            return name
    return ""
