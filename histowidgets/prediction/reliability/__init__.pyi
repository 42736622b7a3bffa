from ._shift import ShiftSensitivity, shift_sensitivity

__all__ = ["ShiftSensitivity", "shift_sensitivity"]
