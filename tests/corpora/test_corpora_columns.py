"""Columns are guessed by name first, then by what is in them."""

import pytest

from lib.corpora import ColumnChoice, guess_columns, read_table
from lib.errors import InputError


def guess(data, name="a.csv"):
    return guess_columns(read_table(data if isinstance(data, bytes) else data.encode(), name=name))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("id,text,label", ColumnChoice("text", "label", "id")),
        ("_id,title,text,topic", ColumnChoice("text", "topic", "_id")),
        ("Doc ID,Sentence,Category", ColumnChoice("Sentence", "Category", "Doc ID")),
        ("uuid,question,intent", ColumnChoice("question", "intent", "uuid")),
        ("passage,class", ColumnChoice("passage", "class")),
        ("abstract,subject", ColumnChoice("abstract", "subject")),
    ],
)
def test_by_name(header, expected):
    width = len(header.split(","))
    rows = "".join(",".join(f"word{c}{r}" for c in range(width)) + "\n" for r in range(3))
    assert guess(f"{header}\n{rows}") == expected


def test_the_longest_text_where_no_name_helps():
    rows = "".join(f"short{i},a much longer stretch of words {i},{i}\n" for i in range(4))
    choice = guess(f"a,b,c\n{rows}")
    assert choice.text == "b"
    assert "the longest text" in choice.reason


def test_a_label_is_a_column_of_few_values_that_repeat():
    rows = "".join(f"some words {i},{'xyz'[i % 3]},{i * 7 % 5}\n" for i in range(12))
    assert guess(f"words,kind,n\n{rows}") == ColumnChoice("words", "kind")


def test_values_that_all_differ_are_no_label_even_if_called_subject():
    rows = "".join(f"some words {i},mail number {i}\n" for i in range(60))
    assert guess(f"text,subject\n{rows}").label is None


def test_an_id_that_repeats_or_is_missing_is_no_id():
    assert guess("id,text\n1,a\n1,b\n").id is None
    assert guess("id,text\n1,a\n,b\n").id is None


def test_a_text_column_by_name_must_hold_text():
    assert guess("text,body\n1,some words\n2,more words\n").text == "body"


def test_the_first_rows_may_be_blank():
    rows = "".join(f",{i}\n" for i in range(1_500))
    assert guess(f"text,n\n{rows}words,1\n").text == "text"


@pytest.mark.parametrize("cell", ["[0.5, 1]", "[1, 2]"])
def test_a_vector_column_by_name(cell):
    assert guess(f'text,embedding\na,"{cell}"\n') == ColumnChoice("text", vector="embedding")


def test_a_long_list_of_numbers_is_a_vector_under_any_name(jsonl):
    data = jsonl([{"t": "words", "e": [0.5] * 40, "few": [1, 2]}] * 2)
    assert guess(data, "a.jsonl") == ColumnChoice("t", vector="e")


def test_no_text_column():
    with pytest.raises(InputError, match="no column holds text"):
        guess('n,v\n1,"[1, 2]"\n')
