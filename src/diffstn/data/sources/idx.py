"""The IDX format of the MNIST files: arrays of unsigned bytes behind a small header.

A file is two zero bytes, the element type (0x08: unsigned byte), the number of dimensions d, then d
big-endian 32-bit sizes, then the elements in row-major order (LeCun et al., the MNIST database).
"""

import math
import struct

import numpy as np
import torch
from torch import Tensor

from diffstn.errors import UserError

UNSIGNED_BYTE = 0x08


def parse_idx(content: bytes, name: str) -> Tensor:
    """The uint8 tensor that `content` holds, in the shape its header gives.

    Raises:
        UserError: `content` is no IDX file of unsigned bytes or has another length than its header
            says; the message calls it `name`.
    """
    if len(content) < 4 or content[:3] != bytes((0, 0, UNSIGNED_BYTE)):
        raise UserError(f"{name} is no IDX file of unsigned bytes: fetch or unpack it again")
    start = 4 + 4 * content[3]
    shape = struct.unpack(f">{content[3]}I", content[4:start].ljust(start - 4, b"\0"))
    expected = start + math.prod(shape)
    if len(content) != expected:
        raise UserError(
            f"{name} is damaged: {len(content)} bytes where its header promises {expected}; "
            "fetch or unpack it again"
        )
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy())


def format_idx(array: Tensor) -> bytes:
    """The bytes of an IDX file that holds the uint8 tensor `array`: the inverse of `parse_idx`.

    Raises:
        ValueError: `array` is not uint8.
    """
    if array.dtype != torch.uint8:
        raise ValueError(f"IDX files here hold uint8, not {array.dtype}: convert the array first")
    header = bytes((0, 0, UNSIGNED_BYTE, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.contiguous().numpy().tobytes()
