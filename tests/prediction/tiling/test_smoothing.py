"""Rows of a map are blurred and averaged as they arrive."""

import numpy as np
import pytest
from scipy import ndimage

from histowidgets.prediction.tiling import averaged, smoothed


@pytest.mark.parametrize("portions", [(1, 2, 3, 40), (46,), (5,) * 9 + (1,)])
def test_streams_of_rows_are_blurred_and_averaged_as_wholes(portions):
    field = np.random.default_rng(0).random((2, 46, 30)).astype(np.float32)

    def bands():
        top = 0
        for n in portions:
            yield top, field[:, top : top + n]
            top += n

    def whole(stream):
        tops, parts = zip(*((top, part.copy()) for top, part in stream), strict=True)
        assert list(tops) == [sum(p.shape[1] for p in parts[:i]) for i in range(len(parts))]
        return np.concatenate(parts, 1)

    expected = ndimage.gaussian_filter(field, (0, 2, 2), mode="nearest", truncate=3)
    np.testing.assert_allclose(whole(smoothed(bands(), (2.0, 2.0), 46)), expected, atol=1e-6)
    np.testing.assert_allclose(whole(averaged([bands(), [(0, field * 3)]])), field * 2, rtol=1e-6)
