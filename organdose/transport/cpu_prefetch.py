"""Ask a CPU to fetch an array element into its cache while other work goes on."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_FOR_WRITING, _KEEP_CLOSE, _DATA = 1, 3, 1


@intrinsic
def prefetch(typingctx, array, index):
    """`prefetch(array, index)`: one-dimensional array, index not negative. Changes nothing."""

    def codegen(context, builder, signature, arguments):
        array_type = signature.args[0]
        values = context.make_array(array_type)(context, builder, arguments[0])
        address = cgutils.get_item_pointer(context, builder, array_type, values, [arguments[1]], wraparound=False)
        byte_pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [byte_pointer, number, number, number]), "llvm.prefetch.p0")
        builder.call(function, [builder.bitcast(address, byte_pointer), number(_FOR_WRITING), number(_KEEP_CLOSE),
                                number(_DATA)])
        return context.get_dummy_value()

    return types.void(array, index), codegen
