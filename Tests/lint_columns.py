"""Fails where a comment of a Swift file passes 100 columns, or its code 120, and says where: `make lint`.

    python3 Tests/lint_columns.py FILE ...

`swift format` breaks what it can at 120 columns, but no comment and no string. There is no exception: a long string is
two with a + between them, or lines between triple quotes that end in a backslash.
"""

import sys
import unicodedata

COMMENT, CODE = 100, 120


def columns(line):
    """How wide a line is: a combining mark, such as the hat of x̂, takes no column."""
    return sum(not unicodedata.combining(character) for character in line)


def main():
    found = 0
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file.read().splitlines(), 1):
                is_comment = line.lstrip().startswith("//")
                limit = COMMENT if is_comment else CODE
                if columns(line) > limit:
                    remedy = "wrap the comment" if is_comment else "break the line, or its string in two"
                    print(f"{path}:{number}: {columns(line)} columns, where {limit} are allowed: {remedy}")
                    found += 1
    sys.exit(1 if found else 0)


main()
