"""Random numbers for training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import ArgumentError


class PhiloxGenerator:
    """Random numbers whose whole state is a seed, a stream and a position: the same on every machine, and in Swift.

    `stream` gives each worker numbers of its own. Number n is the low (n even) or the high half of the Philox4x32-10
    words of counter (⌊n/2⌋, stream) under the key seed ⊕ 0x74696D6573746570.
    """

    def __init__(self, seed: int = 0, stream: int = 0, position: int = 0) -> None:
        for name, value in (("seed", seed), ("stream", stream), ("position", position)):
            if not 0 <= value < 1 << 64:
                raise ArgumentError(f"{name} {value!r} must be a whole number from 0 to 2^64 - 1")
        self.seed, self.stream, self.position = seed, stream, position

    def words(self, count: int) -> npt.NDArray[np.uint64]:
        """The next numbers of 64 bits."""
        n = np.arange(count, dtype=np.uint64) + np.uint64(self.position)
        low, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
        block, stream, key = n >> np.uint64(1), np.full_like(n, self.stream), self.seed ^ 0x74696D6573746570
        x = [block & mask, block >> low, stream & mask, stream >> low]
        keys = [key & 0xFFFFFFFF, key >> 32]
        for _ in range(10):
            first, second = x[0] * np.uint64(0xD2511F53), x[2] * np.uint64(0xCD9E8D57)
            k0, k1 = np.uint64(keys[0]), np.uint64(keys[1])
            x = [(second >> low) ^ x[1] ^ k0, second & mask, (first >> low) ^ x[3] ^ k1, first & mask]
            keys = [(keys[0] + 0x9E3779B9) & 0xFFFFFFFF, (keys[1] + 0xBB67AE85) & 0xFFFFFFFF]
        self.position += count
        is_low = n % np.uint64(2) == 0
        found: npt.NDArray[np.uint64] = np.where(is_low, x[1] << low | x[0], x[3] << low | x[2])
        return found

    def random(self, count: int) -> npt.NDArray[np.float64]:
        """The next numbers of (0, 1): (k + ½)·2⁻⁵² with the upper 52 bits k."""
        found: npt.NDArray[np.float64] = ((self.words(count) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
        return found


# Where draws come from: ours, or NumPy's.
Generator = PhiloxGenerator | np.random.Generator
