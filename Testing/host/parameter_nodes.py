"""`slicer.parameterNodeWrapper`: typed parameters in a vtkMRMLScriptedModuleNode, bound to widgets."""

import logging
import sys
import types
import typing
import weakref

import slicer
import vtk

from host import parameter_annotations, parameter_serializers, parameter_widgets
from host.parameter_annotations import Default, findFirstAnnotation
from host.parameter_serializers import createSerializer
from host.parameter_widgets import GuiConnector, createGuiConnector

SlicerParameterNamePropertyName = "SlicerParameterName"


class Parameter:
    """What a wrapper class says of one parameter."""

    def __init__(self, owner: type, name: str, datatype):
        self.name, self.datatype = name, datatype
        try:
            self.serializer, others = createSerializer(datatype)
        except Exception as error:
            raise Exception(f"Unable to create serializer for {owner} member {name}") from error
        annotated = findFirstAnnotation(others, Default)
        if hasattr(owner, name):
            self.default = Default(getattr(owner, name))
        else:
            self.default = annotated or Default(self.serializer.default())
        known = Default, parameter_annotations.Decimals, parameter_annotations.SingleStep
        unused = [annotation for annotation in others if not isinstance(annotation, known)]
        if unused:
            logging.warning("Unused annotations: %s", unused)

    def __get__(self, wrapper, _owner=None):
        return self if wrapper is None else wrapper._values[self.name].read()

    def __set__(self, wrapper, value):
        wrapper._values[self.name].write(value)


class _StoredValue:
    """The value of one parameter in one node; read from the node only when the node has changed."""

    def __init__(self, parameter: Parameter, node, key: str):
        self._parameter, self._serializer, self._node, self._key = parameter, parameter.serializer, node, key
        self._tag = None
        if not self._serializer.is_in(node, key):
            self._serializer.write(node, key, parameter.default.value)
        self._cache, self._writing = self._from_node(), False
        me = weakref.ref(self)
        self._tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: me() and me()._on_modified())

    def __del__(self):
        if self._tag is not None:
            self._node.RemoveObserver(self._tag)

    def _from_node(self):
        if not self._serializer.is_in(self._node, self._key):
            self._serializer.write(self._node, self._key, self._parameter.default.value)
        return self._serializer.read(self._node, self._key)

    def _on_modified(self) -> None:
        if not self._writing:
            self._cache = self._from_node()

    def read(self):
        return self._cache if self._serializer.cached else self._from_node()

    def write(self, value) -> None:
        self._writing = True
        try:
            with slicer.util.NodeModify(self._node):  # observers must already find the new value
                self._serializer.write(self._node, self._key, value)
                self._cache = self._from_node()
        finally:
            self._writing = False


class _Wrapper:
    """What every wrapped class can do."""

    _is_parameter_node_wrapper = True
    allParameters: typing.ClassVar[dict[str, Parameter]]

    def __init__(self, parameterNode, prefix: str | None = None):
        self.parameterNode = parameterNode
        self._guis: dict[int, dict[str, GuiConnector]] = {}
        self._next_tag, self._updating_gui = 0, False
        self._values = {name: _StoredValue(parameter, parameterNode, f"{prefix or ''}{name}")
                        for name, parameter in self.allParameters.items()}

    @classmethod
    def _parameter(cls, name: str) -> Parameter:
        if name not in cls.allParameters:
            raise ValueError(f"Cannot find a param with the given name: {name}; found {', '.join(cls.allParameters)}")
        return cls.allParameters[name]

    @classmethod
    def dataType(cls, name: str):
        return cls._parameter(name).datatype

    def default(self, name: str) -> Default:
        return self._parameter(name).default

    def isCached(self, name: str) -> bool:
        return self._parameter(name).serializer.cached

    def getValue(self, name: str):
        self._parameter(name)
        return self._values[name].read()

    def setValue(self, name: str, value) -> None:
        self._parameter(name)
        self._values[name].write(value)

    def connectGui(self, gui) -> None:
        """Bind every widget that carries the property SlicerParameterName. As in Slicer there is no tag."""
        import qt

        is_widget = getattr(gui, "isWidgetType", lambda: False)()
        widgets = gui.findChildren(qt.QWidget) if is_widget else vars(gui).values()
        named = ((widget.property(SlicerParameterNamePropertyName), widget) for widget in widgets)
        self.connectParametersToGui({name: widget for name, widget in named if name})

    def connectParametersToGui(self, mapping: dict) -> int:
        """Bind parameters to widgets or connectors by name; returns the tag for `disconnectGui`."""
        for name in mapping:
            self._parameter(name)
        connectors = {name: end if isinstance(end, GuiConnector) else createGuiConnector(end, self.dataType(name))
                      for name, end in mapping.items()}
        tag, self._next_tag = self._next_tag, self._next_tag + 1
        self._guis[tag] = connectors
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.onChanged(lambda name=name, connector=connector: self._on_gui_changed(name, connector))
        self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._update_gui())
        return tag

    def disconnectGui(self, tag) -> None:
        for connector in self._guis.pop(tag, {}).values():
            connector.onChanged(None)

    def _on_gui_changed(self, name: str, connector: GuiConnector) -> None:
        if not self._updating_gui:
            with slicer.util.NodeModify(self):
                self.setValue(name, connector.read())

    def _update_gui(self) -> None:
        if self._updating_gui:
            return
        self._updating_gui = True
        try:
            with slicer.util.NodeModify(self):
                for connectors in self._guis.values():
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._updating_gui = False

    def StartModify(self):
        return self.parameterNode.StartModify()

    def EndModify(self, wasModified):
        return self.parameterNode.EndModify(wasModified)

    def AddObserver(self, event, callback, priority=0.0):
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag):
        return self.parameterNode.RemoveObserver(tag)

    def Modified(self):
        return self.parameterNode.Modified()


def parameterNodeWrapper(classtype=None):
    """Class decorator: the annotated names of the class become parameters of the node it is made with."""
    return _wrapped if classtype is None else _wrapped(classtype)


def isParameterNodeWrapper(classOrObject) -> bool:
    return getattr(classOrObject, "_is_parameter_node_wrapper", False)


def findChildWidgetForParameter(widget, name: str):
    import qt

    return next((child for child in widget.findChildren(qt.QWidget)
                 if child.property(SlicerParameterNamePropertyName) == name), None)


def _wrapped(classtype: type) -> type:
    hints = typing.get_type_hints(classtype, include_extras=True)
    reserved = [name for name in (*hints, *vars(classtype)) if not name.startswith("_") and hasattr(_Wrapper, name)]
    if reserved:
        raise ValueError(f"Cannot use reserved name '{reserved[0]}' in a parameterNodeWrapper")
    classtype.allParameters = {name: Parameter(classtype, name, datatype) for name, datatype in hints.items()}
    for name, parameter in classtype.allParameters.items():
        setattr(classtype, name, parameter)
    for name, value in vars(_Wrapper).items():
        if name not in ("__module__", "__doc__", "__dict__", "__weakref__", "__annotations__"):
            setattr(classtype, name, value)
    return classtype


def install() -> None:
    """Put it where modules import it: `from slicer.parameterNodeWrapper import *`."""
    module = types.ModuleType("slicer.parameterNodeWrapper")
    for name, value in {**vars(parameter_annotations), **vars(parameter_serializers), **vars(parameter_widgets),
                        **globals()}.items():
        if getattr(value, "__module__", "").startswith("host.parameter_") and not name.startswith("_"):
            setattr(module, name, value)
    module.SlicerParameterNamePropertyName = SlicerParameterNamePropertyName
    module.__all__ = [name for name in vars(module) if not name.startswith("_")]
    sys.modules[module.__name__] = slicer.parameterNodeWrapper = module
