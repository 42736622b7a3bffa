from ._calibration import Bin, Calibration, calibrate, fit_temperature, measure_calibration
from ._shift import ShiftSensitivity, shift_sensitivity

__all__ = [
    "Bin",
    "Calibration",
    "ShiftSensitivity",
    "calibrate",
    "fit_temperature",
    "measure_calibration",
    "shift_sensitivity",
]
