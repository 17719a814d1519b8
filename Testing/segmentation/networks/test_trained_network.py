import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the extra 'segmentation')")

from organdose.errors import InputError  # noqa: E402
from organdose.segmentation.networks.trained_network import load_network, save_whole  # noqa: E402


def test_a_network_comes_back_from_disk_as_it_was(trained_folder, tiny_card):
    trained = load_network(trained_folder)
    assert trained.card == tiny_card and not trained.network.training
    half = torch.load(trained_folder / "weights.pt", weights_only=True)
    assert all(torch.equal(half[name].float(), tensor.float()) for name, tensor in trained.network.state_dict().items())


@pytest.mark.parametrize("missing", ["weights.pt", "card.json"])
def test_a_folder_without_weights_or_card_is_refused_in_one_line(trained_folder, missing):
    (trained_folder / missing).unlink()
    with pytest.raises(InputError, match="no trained network here"):
        load_network(trained_folder)


def test_a_card_with_another_number_of_channels_is_refused(changed_card):
    with pytest.raises(InputError, match="takes 2 channels, the card has 3 HU windows"):
        load_network(changed_card(windows_hu=[[-1000, 1000], [-160, 240], [0, 100]]))


def test_weights_with_another_number_of_channels_are_refused(changed_card, tiny_card):
    shape = {**tiny_card.shape.model_dump(), "channels_in": 3}
    with pytest.raises(InputError, match=r"of another network: encoder\.0.*channels in: 3"):
        load_network(changed_card(windows_hu=[[-1000, 1000], [-160, 240], [0, 100]], shape=shape))


def test_a_card_with_more_organs_than_the_network_is_refused(changed_card):
    with pytest.raises(InputError, match="gives 4 labels, the card has 4 organs"):
        load_network(changed_card(organs=["body", "liver", "kidney_left", "spleen"]))


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"\x80\x02cos\nsystem\n."])
def test_a_damaged_or_hostile_file_of_weights_is_refused(trained_folder, content):
    (trained_folder / "weights.pt").write_bytes(content)
    with pytest.raises(InputError, match="not readable as weights"):
        load_network(trained_folder)


def test_a_failure_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    save_whole({"step": 1}, path)

    def half_written(content, file):
        file.write(b"PK half a file")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", half_written)
    with pytest.raises(KeyboardInterrupt):
        save_whole({"step": 2}, path)
    assert torch.load(path, weights_only=True) == {"step": 1}
