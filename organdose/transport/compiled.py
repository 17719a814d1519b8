"""How the scalar functions of the transport are compiled: once for CPU threads, once more inside CUDA kernels."""

from numba import njit

# Forced inline, as the tables travel as tuples of arrays that every call would copy. Without numba's reference counting
# (scalar functions own no arrays): it would cost three quarters of the speed.
scalar_function = njit(_nrt=False, forceinline=True, error_model="numpy")
