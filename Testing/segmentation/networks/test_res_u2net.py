import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the extra 'segmentation')")

from organdose.segmentation.network_shape import NetworkShape  # noqa: E402
from organdose.segmentation.networks.res_u2net import ResU2Net  # noqa: E402


@pytest.mark.parametrize("size", [(16, 16, 16), (17, 23, 9), (1, 20, 32)])
def test_logits_have_the_size_of_the_image_even_when_it_does_not_halve_evenly(size):
    network = ResU2Net(NetworkShape(labels=5, widths=(4, 6, 8), inner_depths=(2, 1, 1))).eval()
    with torch.inference_mode():
        assert network(torch.zeros(1, 2, *size)).shape == (1, 5, *size)


def test_training_gives_logits_of_every_scale_for_deep_supervision():
    outputs = ResU2Net(NetworkShape(labels=3, widths=(4, 6, 8), inner_depths=(1, 1, 1)))(torch.zeros(2, 2, 16, 16, 16))
    assert [tuple(out.shape) for out in outputs] == [(2, 3, 16, 16, 16), (2, 3, 8, 8, 8), (2, 3, 4, 4, 4)]


def test_every_weight_takes_part_in_the_answer():
    network = ResU2Net(NetworkShape(labels=3, widths=(4, 6), inner_depths=(2, 1)))
    network(torch.randn(2, 2, 16, 16, 16))[0].square().mean().backward()
    assert not [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


@pytest.mark.parametrize("sizes", [{"widths": (8, 16), "inner_depths": (1, 1, 1)},
                                   {"widths": (8,), "inner_depths": (1,)}, {"widths": (8, 0), "inner_depths": (1, 1)}])
def test_a_shape_that_is_no_network_is_refused(sizes):
    with pytest.raises(ValueError, match="widths"):
        NetworkShape(labels=3, **sizes)
