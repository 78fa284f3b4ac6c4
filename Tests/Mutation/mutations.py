"""The small mistakes that a Swift file could hold: every change of one token, or of a few that belong together, in lines of code.

Comments, strings, conditions of compilation and properties that only make text are left alone. What is changed need not compile;
the compiler is asked later. Changes that concern a string are of the kind "message".
"""

import bisect
import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""
    (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<directive>^[ ]*\#(?:if|elseif|else|endif)\b[^\n]*|^[ ]*import\b[^\n]*)
  | (?P<space>[ \t]+|\n)
  | (?P<number>0x[0-9a-fA-F_]+(?:\.[0-9a-fA-F]+)?(?:p[+-]?\d+)?|\d[\d_]*(?:\.\d[\d_]*)?(?:e[+-]?\d+)?)
  | (?P<word>[#@$]?[^\W\d][\w\u0302]*|\$\d+|`[^`]+`)
  | (?P<operator>\.\.[.<]|\?\?|[?](?=[\s.)\],>]|$)|[-+*/%<>=!&|^~]+|[?.\\])
  | (?P<mark>[(){}\[\],:;])
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
TEXT_PROPERTY = re.compile(r"var (?:description|name|plain): String \{")
CALL = re.compile(r"^ *((?:try )?(?!if|guard|switch|return|for|while|init\()[a-z][\w.]*\(.*\)) *$", re.MULTILINE)
PRECEDENCE = {
    **dict.fromkeys(["<<", ">>"], 8),
    **dict.fromkeys(["*", "/", "%", "&*", "&"], 7),
    **dict.fromkeys(["+", "-", "&+", "&-", "|", "^"], 6),
    **dict.fromkeys(["..<", "..."], 5),
    "??": 4,
    **dict.fromkeys(["<", "<=", ">", ">=", "==", "!="], 3),
    "&&": 2,
    "||": 1,
    **dict.fromkeys(["=", "+=", "-=", "*=", "/=", "&+=", "&-=", "->"], 0),
}
OPERATORS = {
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "+=": "-=",
    "-=": "+=",
    "&+=": "&-=",
    "&+": "&-",
    "&*": "&+",
    "<<": ">>",
    ">>": "<<",
    "^": "|",
    "&": "|",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "&&": "||",
    "||": "&&",
}
RANGES = {"..<": "...", "...": "..<"}
PAIRS = [
    ("min", "max"),
    ("first", "last"),
    ("firstIndex", "lastIndex"),
    ("dropFirst", "dropLast"),
    ("prefix", "suffix"),
    ("lowerBound", "upperBound"),
    ("true", "false"),
    ("signal", "noise"),
    ("high", "low"),
    ("sample", "output"),
    ("from", "to"),
]
OPPOSITES = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}
OPENING, CLOSING = "([{", ")]}"
# Words at which an expression ends or before which it cannot begin.
BOUNDARIES = {
    "return",
    "in",
    "case",
    "where",
    "if",
    "guard",
    "let",
    "var",
    "else",
    "while",
    "try",
    "throw",
    "as",
    "is",
    "switch",
}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int
    opens_line: bool
    spaced: bool  # white space on both sides


@dataclass(frozen=True)
class Mutation:
    kind: str
    start: int
    end: int
    replacement: str


def lex(source):
    """The tokens that are code; a string, with what is interpolated into it, is one token."""
    tokens, at, opens_line = [], 0, True
    text_ranges = [(m.start(), closing_brace(source, m.end())) for m in TEXT_PROPERTY.finditer(source)]
    while at < len(source):
        if source[at] == '"':
            kind, end = "string", end_of_string(source, at)
        else:
            match = TOKEN.match(source, at)
            if not match:
                kind, end = "other", at + 1
            else:
                kind, end = match.lastgroup, match.end()
        text = source[at:end]
        if kind == "space":
            opens_line = opens_line or text == "\n"
        elif kind not in ("comment", "directive") and not any(a <= at < b for a, b in text_ranges):
            spaced = source[at - 1 : at].isspace() and source[end : end + 1].isspace()
            tokens.append(Token(kind, text, at, end, opens_line, spaced))
            opens_line = False
        at = end
    return tokens


def end_of_string(source, at):
    at += 1
    while source[at] != '"':
        if source.startswith("\\(", at):
            at, depth = at + 2, 1
            while depth:
                if source[at] == '"':
                    at = end_of_string(source, at)
                    continue
                depth += {"(": 1, ")": -1}.get(source[at], 0)
                at += 1
        else:
            at += 2 if source[at] == "\\" else 1
    return at + 1


def closing_brace(source, at):
    depth = 1
    while depth:
        if source[at] == '"':
            at = end_of_string(source, at)
            continue
        depth += {"{": 1, "}": -1}.get(source[at], 0)
        at += 1
    return at


def is_binary(token):
    return token.kind == "operator" and token.text in PRECEDENCE and (token.spaced or token.text in RANGES)


def is_question(token):
    return token.text == "?" and token.spaced


def is_continued(tokens, i):
    """Whether the expression of the line before goes on at a token that opens a line."""
    return (
        is_binary(tokens[i])
        or tokens[i].text in ".?:"
        or (i > 0 and (is_binary(tokens[i - 1]) or tokens[i - 1].text in "?:"))
    )


def end_of_operand(tokens, i, level):
    """The index after the operand that begins at i, right of an operator of a precedence."""
    depth, opens_block = 0, heads_statement(tokens, i)
    while i < len(tokens):
        token = tokens[i]
        if depth == 0:
            if token.text in CLOSING or token.text in (",", ";", ":") or is_question(token) or token.text in BOUNDARIES:
                break
            if token.opens_line and not is_continued(tokens, i):
                break
            if is_binary(token) and PRECEDENCE[token.text] <= level or token.text == "{" and opens_block:
                break
        depth += (token.text in OPENING) - (token.text in CLOSING)
        i += 1
    return i


def start_of_operand(tokens, i, level):
    """The index of the first token of the operand that ends before i, left of an operator of a precedence."""
    depth = 0
    while i > 0:
        token = tokens[i - 1]
        if depth == 0:
            if token.text in OPENING or token.text in (",", ";", ":") or is_question(token) or token.text in BOUNDARIES:
                break
            if is_binary(token) and PRECEDENCE[token.text] < level:
                break
            if i < len(tokens) and tokens[i].opens_line and not is_continued(tokens, i):
                break
        depth += (token.text in CLOSING) - (token.text in OPENING)
        i -= 1
    return i


def heads_statement(tokens, i):
    while i > 0 and not tokens[i].opens_line:
        i -= 1
    return any(token.text in ("if", "guard", "while", "for", "switch") for token in tokens[i : i + 3])


def mutations(source):
    """All of them, in the order of the text, each once."""
    tokens = lex(source)
    found = []
    for i, token in enumerate(tokens):
        previous = tokens[i - 1].text if i else ""
        following = tokens[i + 1].text if i + 1 < len(tokens) else ""
        if previous == "func" or previous == "operator":
            continue
        if token.kind == "operator":
            found += of_operator(source, tokens, i)
        elif token.kind == "number":
            found += of_number(token, previous == "." and tokens[i - 1].end == token.start)
        elif token.kind == "word":
            found += of_word(source, token, previous, following)
        elif token.text == "(":
            found += of_arguments(source, tokens, i)
    found += of_statements(source, tokens)
    found += of_conditions(source, tokens)
    unique = {(m.start, m.end, m.replacement): m for m in found if source[m.start : m.end] != m.replacement}
    return sorted(unique.values(), key=lambda m: (m.start, m.end, m.replacement))


def of_operator(source, tokens, i):
    token = tokens[i]
    if is_question(token):
        yield from swapped_branches(source, tokens, i)
    elif token.text in RANGES and token.kind == "operator":
        if not tokens[i - 1].kind == "string":
            yield Mutation("range", token.start, token.end, RANGES[token.text])
    elif token.spaced and token.text in OPERATORS:
        kind = (
            "comparison" if PRECEDENCE.get(token.text) == 3 else "logic" if token.text in ("&&", "||") else "arithmetic"
        )
        if "string" in (tokens[i - 1].kind, tokens[i + 1].kind):
            kind = "message"
        yield Mutation(kind, token.start, token.end, OPERATORS[token.text])
        dropped = "message" if kind == "message" else "dropped term"
        level = PRECEDENCE.get(token.text, 0)
        if level in (1, 2, 6, 7):
            end = end_of_operand(tokens, i + 1, level)
            if end > i + 1:
                yield Mutation(dropped, tokens[i - 1].end, tokens[end - 1].end, "")
            start = start_of_operand(tokens, i, level)
            if token.text in ("+", "*", "&&", "||") and start < i:
                yield Mutation(dropped, tokens[start].start, tokens[i + 1].start, "")
    elif token.text == "-" and not token.spaced and not source[token.end].isspace():
        yield Mutation("sign", token.start, token.end, "")
    elif token.text == "!" and not source[token.end].isspace() and source[token.start - 1] in " (":
        yield Mutation("logic", token.start, token.end, "")


def swapped_branches(source, tokens, i):
    depth, middle = 0, None
    for j in range(i + 1, len(tokens)):
        depth += is_question(tokens[j])
        if tokens[j].text == ":" and tokens[j].spaced:
            if depth == 0:
                middle = j
                break
            depth -= 1
    if middle is None:
        return
    end = end_of_operand(tokens, middle + 1, 0)
    if end <= middle + 1:
        return
    yes = source[tokens[i + 1].start : tokens[middle - 1].end]
    no = source[tokens[middle + 1].start : tokens[end - 1].end]
    yield Mutation("swapped branches", tokens[i + 1].start, tokens[end - 1].end, f"{no} : {yes}")


def of_number(token, is_member):
    text = token.text
    digits = text.replace("_", "")
    if is_member:
        # Of `pair.0.1`, the last.
        head, dot, last = text.rpartition(".")
        yield Mutation(
            "index", token.start, token.end, head + dot + ("0" if last == "1" else str(max(1, int(last) - 1)))
        )
    elif re.fullmatch(r"\d+", digits):
        yield Mutation("integer", token.start, token.end, str(int(digits) + 1))
        if int(digits) > 0:
            yield Mutation("integer", token.start, token.end, str(int(digits) - 1))
    elif re.fullmatch(r"0x[0-9a-fA-F]+", digits):
        yield Mutation("integer", token.start, token.end, hex(int(digits, 16) ^ 1))
    elif digits.startswith("0x"):
        mantissa, exponent = digits.split("p")
        if "." in mantissa:
            changed = mantissa[:-1] + f"{int(mantissa[-1], 16) ^ 1:x}"
            yield Mutation("constant", token.start, token.end, f"{changed}p{exponent}")
        else:
            yield Mutation("constant", token.start, token.end, f"{mantissa}p{int(exponent) + 1}")
    else:
        yield Mutation("constant", token.start, token.end, repr(float(digits) * 1.01))


def of_word(source, token, previous, following):
    text = token.text
    if text in ("squareRoot", "reversed", "rounded") and previous == "." and source[token.end : token.end + 2] == "()":
        yield Mutation("dropped call", token.start - 1, token.end + 2, "")
    if text not in OPPOSITES or previous in ("let", "var", "case", "func", "private", "public"):
        return
    is_label = following == ":" and source[token.end] == ":"
    if is_label or text in ("min", "max") and following != "(":
        return
    if text in ("first", "last", "from", "to", "firstIndex", "lastIndex", "dropFirst", "prefix") and previous != ".":
        return
    if text in ("signal", "noise", "sample", "output", "high", "low") and following in ("(",):
        return
    yield Mutation("name", token.start, token.end, OPPOSITES[text])


def of_arguments(source, tokens, i):
    """Neighbouring arguments of a call, or members of a tuple, exchanged; labels stay where they are."""
    before = tokens[i - 1] if i else None
    if before and tokens[i].start == before.end and before.kind == "word":
        declares = tokens[i - 2].text if i > 1 else ""
        is_initializer = before.text in ("init", "subscript") and declares != "."
        if declares in ("func", "case") or is_initializer or before.text[0] == "@":
            return
    if before and (before.kind == "operator" and tokens[i - 2].text == "func" or before.text in (">", "min", "max")):
        return  # a declaration, or a function whose arguments may come in any order
    values, depth, start = [], 0, i + 1
    for j in range(i + 1, len(tokens)):
        text = tokens[j].text
        if depth == 0 and text in (",", ")"):
            if j == start:
                return
            first = (
                start + 2 if tokens[start].kind == "word" and tokens[start + 1].text == ":" and start + 2 < j else start
            )
            values.append((tokens[first].start, tokens[j - 1].end, tokens[first].kind == "string"))
            start = j + 1
            if text == ")":
                break
        depth += (text in OPENING) - (text in CLOSING)
    for (a, b, is_text), (c, d, is_other_text) in zip(values, values[1:]):
        kind = "message" if is_text or is_other_text else "swapped arguments"
        yield Mutation(kind, a, d, source[c:d] + source[b:c] + source[a:b])


def of_statements(source, tokens):
    """Calls whose result is not used, left out."""
    strings = [token for token in tokens if token.kind == "string"]
    starts = [token.start for token in strings]
    opening = {token.start for token in tokens if token.opens_line}
    for match in CALL.finditer(source):
        k = bisect.bisect(starts, match.start(1)) - 1
        inside = k >= 0 and strings[k].end > match.start(1)
        text = match[1]
        if (
            not inside
            and match.start(1) in opening
            and text.count("(") == text.count(")")
            and text.count("{") == text.count("}")
        ):
            yield Mutation("dropped statement", match.start(1), match.end(1), "")


def of_conditions(source, tokens):
    """In a condition, a value that was made together with another - `let (a, b) = ...` - stands for that one."""
    partners = {}
    for i, token in enumerate(tokens):
        if token.text in ("func", "init"):
            partners = {}
        if token.text in ("let", "var") and tokens[i + 1].text == "(":
            names, j = [], i + 2
            while j < len(tokens) and tokens[j].text != ")":
                names += [tokens[j].text] if tokens[j].kind == "word" else []
                j += 1
            names = [name for name in names if name != "_"]
            partners |= {a: b for pair in zip(names, names[1:]) for a, b in (pair, pair[::-1])}
        elif token.text in partners and token.kind == "word" and is_compared(tokens, i):
            yield Mutation("stand-in", token.start, token.end, partners[token.text])


def is_compared(tokens, i):
    """Whether a token is next to a comparison, or the first after a word that asks."""
    around = [tokens[k].text for k in (i - 1, i + 1) if 0 <= k < len(tokens)]
    return any(PRECEDENCE.get(text) == 3 for text in around) or tokens[i - 1].text in (
        "if",
        "guard",
        "where",
        "&&",
        "||",
        "!",
    )
