"""The forms of the InternalDosimetry window: time model, engines, registration, options; all built from models."""

from __future__ import annotations

import json
from types import SimpleNamespace


class InternalDoseForms:
    """Makes the forms in the places of the module's .ui (`ui`), and keeps them in step with its parameter node."""

    def __init__(self, ui, on_changed):
        from organdose.jobs.internal_dose_options import InternalDoseOptions
        from organdose.nuclear.engines import engines
        from organdose.nuclear.integration_models import integration_models
        from organdose.panels.engine_choice import EngineChoice
        from organdose.panels.engine_form import EngineForm
        from organdose.panels.recovery_editor import RecoveryEditor
        from organdose.study.frame_registration_parameters import RegistrationParameters

        self._ui, self._models = ui, integration_models()
        self.engines = EngineChoice(engines(), on_changed)
        self.time = EngineForm(self._models, on_changed, label="Time model:")
        self.registration = EngineForm({"registration": _only(RegistrationParameters)}, on_changed, label="")
        self.options = EngineForm({"options": _only(InternalDoseOptions)}, on_changed, label="",
                                  editors={"recovery": RecoveryEditor})
        for place, form in ((ui.enginePlace, self.engines), (ui.timePlace, self.time),
                            (ui.registrationPlace, self.registration), (ui.optionsPlace, self.options)):
            place.layout().addWidget(form.widget)

    def show(self, parameters, frames: int) -> None:
        """Show what a parameter node says; registration only where there are several frames."""
        self.engines.show(parameters.engine, json.loads(parameters.compareWith),
                          json.loads(parameters.engineParameters))
        self.time.show(parameters.timeModel or _usual_model(frames), json.loads(parameters.timeParameters))
        self.registration.show("registration", json.loads(parameters.registration))
        self.options.show("options", json.loads(parameters.options))
        self._ui.registrationPlace.visible = frames > 1

    def write(self, parameters) -> None:
        """Take what the user has chosen into a parameter node."""
        parameters.engine = self.engines.engine
        parameters.compareWith = json.dumps(self.engines.beside())
        parameters.engineParameters = json.dumps(self.engines.parameters())
        parameters.timeModel = self.time.engine
        parameters.timeParameters = json.dumps(self.time.values())
        parameters.registration = json.dumps(self.registration.values())
        parameters.options = json.dumps(self.options.values())

    def complaint(self, frames: int) -> str:
        """Why nothing can be run with these values, in one line; '' when it can."""
        said = self.engines.complaint() or self.time.complaint() or self.options.complaint()
        if not said and frames > 1:
            said = self.registration.complaint()
        least = self._models[self.time.engine].least_points
        if not said and 0 < frames < least:
            said = f"{self.time.chosen.title} needs {least} frames, not {frames}: choose another time model."
        return said

    def time_model(self, frames: int) -> tuple[str, dict[str, object]]:
        """Name and parameters of the time model."""
        return self.time.engine or _usual_model(frames), self.time.values()

    def job(self, frames: int) -> dict[str, object]:
        """What the forms say, as values of `InternalDoseJob`."""
        from organdose.jobs.internal_dose_options import InternalDoseOptions
        from organdose.study.frame_registration_parameters import RegistrationParameters

        engine, beside = self.engines.engine, self.engines.beside()
        parameters = {name: values for name, values in self.engines.parameters().items() if name in (engine, *beside)}
        model, chosen = self.time_model(frames)
        registration = RegistrationParameters(**self.registration.values()).model_dump() if frames > 1 else {}
        return {"engine": engine, "compare_with": beside, "engine_parameters": parameters, "tia": model,
                "tia_parameters": chosen, "registration": registration,
                **InternalDoseOptions(**self.options.values()).of_job()}


def _only(model):
    """A form's single engine."""
    return SimpleNamespace(title="", parameters=model)


def _usual_model(frames: int) -> str:
    """As `InternalDoseJob` chooses by itself."""
    return "physical" if frames <= 1 else "mono"
