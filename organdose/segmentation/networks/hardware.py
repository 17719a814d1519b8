"""Where a network runs: device, precision, free memory."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from organdose.errors import InputError

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "failed to allocate", "could not allocate", "bad alloc",
                  "bad_alloc")
_UNKNOWN_FREE_BYTES = 4 * 2**30


def chosen_device(name: str = "auto") -> torch.device:
    """'auto', 'cpu', 'cuda' or 'cuda:1'. Raises `InputError` for one that is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"unknown device {name!r}", mend="Choose auto, cpu or cuda.") from error
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"networks do not run on {name!r} here", mend="Choose auto, cpu or cuda.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(f"there is no graphics card {name!r}", mend="Choose auto or cpu.")
    return device


def chosen_precision(name: str, device: torch.device) -> torch.dtype:
    """'float32', 'bfloat16', 'float16' or 'auto': half where the hardware multiplies matrices of it."""
    if name != "auto":
        return getattr(torch, name)
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    return torch.bfloat16 if amx() else torch.float32


def mixed(device: torch.device, precision: torch.dtype) -> AbstractContextManager:
    """The context in which torch computes in mixed precision; does nothing for float32."""
    return nullcontext() if precision is torch.float32 else torch.autocast(device.type, precision)


def free_bytes(device: torch.device) -> int:
    """Memory that a network may take now; a guess of 4 GiB where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return _UNKNOWN_FREE_BYTES


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch, or of what it calls, means that memory was exhausted."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _OUT_OF_MEMORY)
