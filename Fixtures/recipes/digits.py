"""The images that the tool draws."""


def digits():
    """The UCI Optical Recognition of Handwritten Digits test set as scikit-learn ships it: a line per image, the label and 64 grey
    values in 0 ... 16, row by row."""
    from sklearn.datasets import load_digits

    data = load_digits()
    lines = ["label," + ",".join(f"p{row}{column}" for row in range(8) for column in range(8))]
    for label, image in zip(data.target, data.data):
        lines.append(",".join([str(int(label))] + [str(int(value)) for value in image]))
    return "\n".join(lines) + "\n"


FOLDER = "Sources/DigitsModel/Resources"
FILES = {"digits.csv": digits}
