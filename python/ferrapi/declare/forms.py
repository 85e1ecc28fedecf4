"""Forms: from the parts that arrived to the values of the declared fields.

A form has no types, so what a part means depends on who reads it. A field that is declared as a sequence takes all
parts of its name, any other takes the last one. An empty text and a file input without a file count as not sent, but
an empty text in a list is an item. A model stands for the whole form: it sees its own fields, read like that, and all
other parts as they came. In a union of models each member reads the form in its own way, after what runs before the
union (validators, discriminators) has seen the parts as they came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, BeforeValidator, Tag
from starlette.datastructures import FormData, UploadFile

from .. import params
from .annotation import is_union, strip
from .fields import ModelField
from .parameter_models import ModelReader, wants_many
from .sent import MISSING, allows_none, names_of, wants_bytes
from .type_kinds import is_json, lenient_issubclass

Raw = dict[str, Any]


def is_blank(value: Any) -> bool:
    """Whether a part says nothing: an empty text, or a file input in which no file was chosen."""
    if isinstance(value, UploadFile):
        return not value.filename and not value.size
    return isinstance(value, str) and not value


def is_unselected(value: Any) -> bool:
    """Whether a part is a file input in which no file was chosen."""
    return isinstance(value, UploadFile) and not value.filename and not value.size


def raw_values(form: FormData) -> Raw:
    """The parts by name, as they came: one part as it is, several as a list."""
    values: Raw = {}
    for key in form:
        found = form.getlist(key)
        values[key] = found[0] if len(found) == 1 else found
    return values


def as_field(value: Any, many: bool) -> Any:
    """What a field takes from the parts of its name; `MISSING` if they say nothing."""
    if many:
        if not isinstance(value, list) and value is not None:
            value = [value]
        if value:
            value = [item for item in value if not is_unselected(item)] or MISSING
        return value
    if isinstance(value, list) and value:
        value = MISSING if value[-1] is None else value[-1]
    return MISSING if is_blank(value) else value


class FormModel:
    """How one model reads a form.

    Parameters:
        model: the model class.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        reader = ModelReader(model, convert_underscores=False)
        infos = model.model_fields
        self.keeps_extra = reader.keeps_extra
        names = {name: [sent for sent, _ in keys] for name, keys in reader.keys.items()}
        self.fields = [(sent, wants_many(infos[name])) for name, sent in names.items()]
        self._infos, self._sent = infos, names
        self.bytes_fields = {
            one: infos[name] for name, sent in names.items() if wants_bytes(infos[name]) for one in sent
        }
        self.own_names = {one for sent in names.values() for one in sent}

    def described_names(self) -> dict[str, list[str]]:
        """The names in a form of each field that has an alias, by the preferred one.

        A model is described with the preferred aliases where it is taken, and without them where it is returned.
        """
        names: dict[str, list[str]] = {}
        for name, info in self._infos.items():
            alias = info.alias if info.validation_alias is None else info.validation_alias
            preferred = alias.choices[0] if isinstance(alias, AliasChoices) else alias
            if isinstance(preferred, str):
                names[preferred] = list(dict.fromkeys(self._sent[name]))
        return names

    def read(self, raw: Mapping[str, Any]) -> Raw:
        """The dictionary for the model: its own fields first, then everything else.

        `raw` need not be from a form. What no form can say, None and an empty list, stays as it is.
        """
        values: Raw = {}
        blank: set[str] = set()
        unsaid: set[str] = set()
        for names, many in self.fields:
            for name in names:
                if name not in raw or raw[name] == []:
                    continue
                value = as_field(raw[name], many)
                if value is None and not many:
                    unsaid.add(name)
                elif value is MISSING:
                    blank.add(name)
                else:
                    values[name] = value
                    break
        last: Raw = {}
        for key, value in raw.items():
            if key in values or key in blank:
                continue
            if value == [] or key in unsaid:
                last[key] = value
            else:
                values[key] = value[0] if isinstance(value, list) and len(value) == 1 else value
        return values | last


class FormModels:
    """A field whose value is the whole form: a model, or a union of models.

    Parameters:
        field: the declared parameter.
        models: the classes that its type consists of.
    """

    def __init__(self, field: ModelField, models: Sequence[type[BaseModel]]) -> None:
        self.optional = allows_none(field)
        self.members = {model: FormModel(model) for model in models}
        first = next(iter(self.members.values()))
        self.single = first if len(self.members) == 1 else None
        self.keeps_extra = any(member.keeps_extra for member in self.members.values())
        self.names = sorted({name for member in self.members.values() for name in member.own_names})

    def concerned(self, raw: Raw) -> bool:
        """Whether anything in the form is any member's business."""
        return bool(raw) if self.keeps_extra else any(name in raw for name in self.names)


def form_model_classes(annotation: Any) -> list[type[BaseModel]]:
    """The models that a form parameter of this type stands for; empty if it is a single value.

    The type is a model or a union of models, or of them and None. Names of types (PEP 695) aren't looked through, and
    neither are unions inside of unions, which need ``Annotated`` to exist, nor ``Annotated`` around the only model.
    """
    found: list[type[BaseModel]] = []
    annotated = False
    for member in get_args(annotation) if is_union(annotation) else (annotation,):
        model = member
        if get_origin(member) is Annotated:
            model, annotated = get_args(member)[0], True
        if lenient_issubclass(model, BaseModel):
            found.append(model)
        elif model is not type(None):
            return []
    return [] if annotated and len(found) == 1 else found


@lru_cache
def _reader_of(model: type[BaseModel]) -> FormModel:
    return FormModel(model)


def normalize_form_model(value: Any, *, model: type[BaseModel]) -> Any:
    """A form's parts as the dictionary that `model` reads; what is no dictionary stays as it is."""
    return _reader_of(model).read(value) if isinstance(value, dict) else value


def as_form(annotation: Any) -> Any:
    """The type of a form parameter, where each model of a union reads the form in its own way.

    Errors name the members of the union by their tags, or else by the names of the models.
    """
    if len(form_model_classes(annotation)) < 2:
        return annotation
    return Union[tuple(map(_as_member, get_args(annotation)))]  # noqa: UP007  # a tuple


def _as_member(member: Any) -> Any:
    if member is type(None):
        return member
    model = strip(member)
    noted = get_args(member)[1:] if get_origin(member) is Annotated else ()
    tag = next((one for one in noted if isinstance(one, Tag)), Tag(model.__name__))
    return Annotated[member, BeforeValidator(partial(normalize_form_model, model=model)), tag]


def form_models(field: ModelField) -> FormModels | None:
    """How to read `field` if it stands for the whole form; remembered on the field."""
    known = field.__dict__.get("_form_models", MISSING)
    if known is MISSING:
        info = field.field_info
        is_form = isinstance(info, params.Form) and not is_json(info)
        models = form_model_classes(info.annotation) if is_form else []
        known = field.__dict__["_form_models"] = FormModels(field, models) if models else None
    found: FormModels | None = known
    return found


def whole_form(field: ModelField, form: FormData) -> Raw:
    """The form as a dictionary for one field: its own value first, then all other parts as they came."""
    raw = raw_values(form)
    values: Raw = {}
    for name in names_of(field):
        value = as_field(raw.pop(name, ""), wants_many(field.field_info))
        if value is not MISSING:
            values[name] = value
            break
    return {**values, **raw}
