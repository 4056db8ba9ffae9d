from gradlab.clip.tokens import fast_tokenizer
from gradlab.language import WordPiece
from tests.clip.examples import NAMES


def test_texts_stand_between_their_ends_and_are_padded_to_the_longest():
    words = WordPiece().train(list(NAMES))
    made = fast_tokenizer(words.json, 12)
    found = made(["dark red", "red"], padding=True, return_tensors="pt")
    tokens = [made.convert_ids_to_tokens(row) for row in found["input_ids"]]
    assert tokens == [["[CLS]", "dark", "red", "[SEP]"], ["[CLS]", "red", "[SEP]", "[PAD]"]]
    assert found["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]
    assert len(made) == len(words)
