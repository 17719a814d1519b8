import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the extra 'segmentation')")

from organdose.segmentation.networks.dice_cross_entropy import dice_cross_entropy, supervised_loss  # noqa: E402


def logits_for(labels, count, sure=20.0):
    return sure * torch.nn.functional.one_hot(labels, count).permute(0, 4, 1, 2, 3).float()


def test_the_loss_agrees_with_monai_where_every_organ_is_there():
    from monai.losses import DiceCELoss

    torch.manual_seed(0)
    labels, logits = torch.randint(0, 4, (2, 6, 5, 4)), torch.randn(2, 4, 6, 5, 4)
    theirs = DiceCELoss(to_onehot_y=True, softmax=True, batch=True, smooth_nr=0, smooth_dr=1e-6)(
        logits, labels[:, None])
    assert float(dice_cross_entropy(logits, labels)) == pytest.approx(float(theirs), rel=1e-5)


def test_the_right_answer_costs_nothing_and_an_organ_that_is_not_there_does_not_count():
    labels = torch.randint(0, 3, (1, 6, 6, 6))
    assert float(dice_cross_entropy(logits_for(labels, 7), labels)) < 1e-3


def test_the_loss_of_several_scales_is_a_mean_of_them():
    labels = torch.zeros(1, 8, 8, 8, dtype=torch.long)
    labels[:, 2:6, 2:6, 2:6] = 1
    fine, coarse = logits_for(labels, 2), logits_for(labels[:, ::2, ::2, ::2], 2)
    assert float(supervised_loss([fine, coarse], labels)) < 1e-3
    wrong = float(supervised_loss([fine, -coarse], labels))
    assert wrong == pytest.approx(float(dice_cross_entropy(-coarse, labels[:, ::2, ::2, ::2])) / 3, rel=1e-3)
    assert float(supervised_loss([fine, -coarse], labels, deep=False)) < 1e-3
