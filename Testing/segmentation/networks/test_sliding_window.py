import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the extra 'segmentation')")

from organdose.errors import Cancelled  # noqa: E402
from organdose.progress import Progress  # noqa: E402
from organdose.segmentation.networks import sliding_window  # noqa: E402
from organdose.segmentation.networks.islands import without_islands  # noqa: E402
from organdose.segmentation.networks.label_upsampling import labels_on_slices  # noqa: E402
from organdose.segmentation.networks.sliding_window import logits_of, plan_tiles  # noqa: E402
from organdose.segmentation.networks.trained_network import load_network  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture
def trained(trained_folder):
    return load_network(trained_folder)


@pytest.fixture
def pointwise(trained):
    """A network whose answer at a voxel depends on that voxel alone: tiles cannot matter."""
    class Pointwise(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.sizes = []

        def forward(self, x):
            self.sizes.append(tuple(x.shape[2:]))
            return torch.cat([x, -x], dim=1)

    object.__setattr__(trained, "network", Pointwise())
    return trained


def test_tiles_put_together_are_the_image(pointwise):
    hu = np.random.default_rng(1).uniform(-1000, 1000, (70, 40, 90)).astype(np.float32)
    whole = logits_of(pointwise, hu, CPU, torch.float32, tile=(96, 48, 96))
    tiled = logits_of(pointwise, hu, CPU, torch.float32, tile=(48, 32, 48))
    assert whole.shape == (4, 70, 40, 90)
    assert len(pointwise.network.sizes) > 5
    torch.testing.assert_close(tiled.float(), whole.float(), atol=3e-3, rtol=0)


def test_the_plan_shrinks_tiles_with_the_free_memory(trained, monkeypatch):
    plans = {}
    for megabytes in (10_000, 100, 1):
        monkeypatch.setattr(sliding_window, "free_bytes", lambda device, m=megabytes: m * 2**20)
        plans[megabytes] = plan_tiles(trained, (200, 90, 120), CPU)
    assert plans[10_000].tile == (208, 96, 128)
    assert max(plans[100].tile) < 208 and plans[100].expected_bytes <= 60 * 2**20
    assert plans[1].tile == (32, 32, 32)


def test_running_out_of_memory_leads_to_smaller_tiles_and_the_same_answer(pointwise, monkeypatch):
    plain = type(pointwise.network).forward
    hu = np.random.default_rng(1).uniform(-1000, 1000, (64, 40, 40)).astype(np.float32)
    wanted = logits_of(pointwise, hu, CPU, torch.float32, tile=(64, 48, 48))

    def limited(self, x):
        if x[0, 0].numel() > 48**3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(self, x)

    monkeypatch.setattr(type(pointwise.network), "forward", limited)
    got = logits_of(pointwise, hu, CPU, torch.float32, tile=(64, 48, 48))
    torch.testing.assert_close(got.float(), wanted.float(), atol=3e-3, rtol=0)


def test_memory_too_small_for_the_smallest_tile_is_said(trained, monkeypatch):
    def never(self, x):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(type(trained.network), "forward", never)
    with pytest.raises(MemoryError, match="smallest tile"):
        logits_of(trained, np.zeros((40, 40, 40), np.float32), CPU, torch.float32)


def test_other_errors_are_not_taken_for_lack_of_memory(trained, monkeypatch):
    def broken(self, x):
        raise RuntimeError("sizes of tensors must match")

    monkeypatch.setattr(type(trained.network), "forward", broken)
    with pytest.raises(RuntimeError, match="must match"):
        logits_of(trained, np.zeros((16, 16, 16), np.float32), CPU, torch.float32)


def test_a_cancelled_run_stops_between_tiles(trained):
    progress = Progress(lambda report: progress.cancel() if report.fraction > 0 else None)
    with pytest.raises(Cancelled):
        logits_of(trained, np.zeros((64, 32, 32), np.float32), CPU, torch.float32, progress=progress,
                  tile=(32, 32, 32))


def test_a_plane_between_two_voxels_is_found_between_them():
    """Logits that change linearly are equal at voxel 3.25 along x: finer voxels see the border there."""
    logits = torch.zeros(2, 4, 5, 8, dtype=torch.float16)
    logits[1] = torch.arange(8) - 3.25
    x = np.arange(0, 7, 0.1)
    labels = labels_on_slices(logits, (np.array([0.0, 1.5, 9.0]), np.array([0.0, 2.2]), x))
    assert labels.shape == (3, 2, 70)
    assert (labels == (x > 3.25)).all()


def test_stray_voxels_go_but_the_second_of_two_large_parts_stays():
    logits = torch.zeros(3, 10, 10, 20)
    logits[0] = 1
    logits[1, 1:5, 1:5, 1:5] = 2
    logits[1, 6:9, 6:9, 6:9] = 2
    logits[1, 2, 2, 18] = 2
    logits[2, 9, 9, 18:] = 2
    without_islands(logits, ("liver", "spleen"))
    labels = logits.argmax(dim=0)
    assert (labels == 1).sum() == 64 + 27 and labels[2, 2, 18] == 0
    assert (labels == 2).sum() == 2
