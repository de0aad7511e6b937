"""The objects that every portal has, and the custom properties that this portal's company has added to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_reverse_etl.destinations.hubspot.sandbox.properties import Option, Property

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIFECYCLE = (
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
)
_INDUSTRIES = ("COMPUTER_SOFTWARE", "FINANCIAL_SERVICES", "HOSPITAL_HEALTH_CARE", "RETAIL", "TELECOMMUNICATIONS")
_LEAD_STATUS = ("NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "CONNECTED", "BAD_TIMING")
_DEAL_STAGES = (
    "appointmentscheduled",
    "qualifiedtobuy",
    "presentationscheduled",
    "decisionmakerboughtin",
    "contractsent",
    "closedwon",
    "closedlost",
)


@dataclass(frozen=True, slots=True)
class Standard:
    """One of HubSpot's own objects.

    :param legacy: its name in messages, such as CONTACT.
    :param modified: the property that holds the time of the last change.
    :param minimum: what creating one needs: of each group, one property.
    """

    type_id: str
    name: str
    singular: str
    legacy: str
    modified: str
    minimum: tuple[tuple[str, ...], ...]
    shown: tuple[str, ...]
    properties: tuple[Property, ...]


def _group(name: str) -> str:
    return {"contacts": "contact", "companies": "company", "deals": "deal"}.get(name, name.rstrip("s")) + "information"


def _label(name: str) -> str:
    return name.removeprefix("hs_").replace("_", " ").capitalize()


def _each(
    group: str, kind: str, field_type: str, names: str, *, read_only: bool = False, calculated: bool = False
) -> Iterator[Property]:
    for name in names.split():
        yield Property(
            name=name,
            label=_label(name),
            type=kind,
            field_type=field_type,
            group=group,
            custom=False,
            read_only=read_only,
            calculated=calculated,
        )


def _texts(group: str, names: str) -> Iterator[Property]:
    return _each(group, "string", "text", names)


def _numbers(group: str, names: str) -> Iterator[Property]:
    return _each(group, "number", "number", names)


def _dates(group: str, kind: str, names: str) -> Iterator[Property]:
    return _each(group, kind, "date", names)


def _choice(
    group: str, name: str, values: Sequence[str], field_type: str = "select", *, custom: bool = False
) -> Property:
    options = tuple(Option(value, value.replace("_", " ").capitalize()) for value in values)
    return Property(
        name=name,
        label=_label(name),
        type="enumeration",
        field_type=field_type,
        group=group,
        options=options,
        custom=custom,
    )


def _flag(group: str, name: str, *, custom: bool = False) -> Property:
    return Property(
        name=name,
        label=_label(name),
        type="bool",
        field_type="booleancheckbox",
        group=group,
        options=(Option("true", "Yes"), Option("false", "No")),
        custom=custom,
    )


def _custom(group: str, name: str, kind: str, field_type: str, *, unique: bool = False) -> Property:
    return Property(name=name, label=_label(name), type=kind, field_type=field_type, group=group, unique=unique)


def everywhere(group: str, modified: str, *, created_is_writable: bool = False) -> Iterator[Property]:
    """The properties that HubSpot gives to every object."""
    yield from _each(group, "number", "number", "hs_object_id", read_only=True)
    yield from _each(group, "datetime", "date", "createdate", read_only=not created_is_writable)
    yield from _each(group, "datetime", "date", modified, read_only=True)
    yield Property(
        name="hubspot_owner_id",
        label="Owner",
        type="enumeration",
        field_type="select",
        group=group,
        referenced_object="OWNER",
        custom=False,
    )


def _contacts(group: str) -> Iterator[Property]:
    yield from everywhere(group, "lastmodifieddate")
    yield from _texts(group, "email firstname lastname company jobtitle website address city state zip country")
    yield from _texts(group, "hs_additional_emails hs_language salutation industry twitterhandle")
    yield from _each(group, "phone_number", "phonenumber", "phone mobilephone fax")
    yield from _each(group, "string", "text", "hs_email_domain", calculated=True)
    yield from _each(group, "string", "text", "hs_full_name_or_email", calculated=True)
    yield from _each(group, "number", "number", "num_notes hs_time_to_first_engagement", calculated=True)
    yield from _each(group, "enumeration", "select", "hs_marketable_status", read_only=True)
    yield from _numbers(group, "annualrevenue numemployees hubspotscore")
    yield from _dates(group, "date", "date_of_birth start_date")
    yield from _dates(group, "datetime", "closedate")
    yield _choice(group, "lifecyclestage", LIFECYCLE, "radio")
    yield _choice(group, "hs_lead_status", _LEAD_STATUS, "radio")
    yield _choice(group, "hs_buying_role", ("BLOCKER", "BUDGET_HOLDER", "CHAMPION", "DECISION_MAKER"), "checkbox")
    yield _flag(group, "hs_email_optout")
    yield _custom(group, "customer_id", "string", "text", unique=True)
    yield _custom(group, "score", "number", "number")
    yield _flag(group, "vip", custom=True)
    yield _choice(group, "plan", ("free", "pro", "enterprise"), custom=True)
    yield _choice(group, "interests", ("sailing", "chess", "opera"), "checkbox", custom=True)
    yield _custom(group, "signed_up_on", "date", "date")
    yield _custom(group, "last_seen_at", "datetime", "date")


def _companies(group: str) -> Iterator[Property]:
    yield from everywhere(group, "hs_lastmodifieddate")
    yield from _texts(group, "name domain website description address city state zip country timezone")
    yield from _each(group, "phone_number", "phonenumber", "phone")
    yield from _numbers(group, "annualrevenue numberofemployees")
    yield from _each(
        group, "number", "number", "num_notes num_associated_contacts num_associated_deals", calculated=True
    )
    yield _choice(group, "industry", _INDUSTRIES)
    yield _choice(group, "type", ("PROSPECT", "PARTNER", "RESELLER", "VENDOR", "OTHER"))
    yield _choice(group, "lifecyclestage", LIFECYCLE, "radio")
    yield _flag(group, "is_public")
    yield _custom(group, "account_key", "string", "text", unique=True)
    yield _custom(group, "aps", "number", "number")


def _deals(group: str) -> Iterator[Property]:
    yield from everywhere(group, "hs_lastmodifieddate", created_is_writable=True)
    yield from _texts(group, "dealname description")
    yield from _numbers(group, "amount hs_deal_stage_probability")
    yield from _each(group, "number", "number", "hs_forecast_amount days_to_close hs_projected_amount", calculated=True)
    yield from _dates(group, "datetime", "closedate")
    yield _choice(group, "dealstage", _DEAL_STAGES, "radio")
    yield _choice(group, "pipeline", ("default",))
    yield _choice(group, "dealtype", ("newbusiness", "existingbusiness"), "radio")
    yield _choice(group, "hs_priority", ("low", "medium", "high"))


def _tickets(group: str) -> Iterator[Property]:
    yield from everywhere(group, "hs_lastmodifieddate")
    yield from _texts(group, "subject content")
    yield from _each(group, "number", "number", "time_to_close", calculated=True)
    yield _choice(group, "hs_pipeline", ("0",))
    yield _choice(group, "hs_pipeline_stage", ("1", "2", "3", "4"))
    yield _choice(group, "hs_ticket_priority", ("LOW", "MEDIUM", "HIGH", "URGENT"))
    yield _choice(group, "hs_ticket_category", ("PRODUCT_ISSUE", "BILLING_ISSUE", "FEATURE_REQUEST"), "checkbox")


def _products(group: str) -> Iterator[Property]:
    yield from everywhere(group, "hs_lastmodifieddate")
    yield from _texts(group, "name description hs_sku hs_url")
    yield from _numbers(group, "price hs_cost_of_goods_sold")
    yield _choice(group, "recurringbillingfrequency", ("monthly", "quarterly", "annually"))


def _line_items(group: str) -> Iterator[Property]:
    yield from everywhere(group, "hs_lastmodifieddate")
    yield from _texts(group, "name description hs_sku")
    yield from _numbers(group, "price quantity discount hs_product_id")
    yield from _each(group, "number", "number", "amount", calculated=True)


def standard_objects() -> tuple[Standard, ...]:
    """The objects that a new portal has."""
    contact = ("email", "firstname", "lastname", "lastmodifieddate")
    contact_minimum = (("email", "firstname", "lastname"),)
    deal = ("dealname", "amount", "closedate", "pipeline", "dealstage", "hs_lastmodifieddate")
    ticket = ("subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority", "hs_lastmodifieddate")
    rows = (
        ("0-1", "contacts", "contact", "lastmodifieddate", contact_minimum, contact, _contacts),
        ("0-2", "companies", "company", "hs_lastmodifieddate", (("name", "domain"),), ("name", "domain"), _companies),
        ("0-3", "deals", "deal", "hs_lastmodifieddate", (("dealname",), ("dealstage",)), deal, _deals),
        ("0-5", "tickets", "ticket", "hs_lastmodifieddate", (("subject",), ("hs_pipeline_stage",)), ticket, _tickets),
        ("0-7", "products", "product", "hs_lastmodifieddate", (), ("name", "price"), _products),
        ("0-8", "line_items", "line_item", "hs_lastmodifieddate", (), ("name", "quantity", "amount"), _line_items),
    )
    return tuple(
        Standard(type_id, name, singular, singular.upper(), modified, minimum, shown, tuple(make(_group(name))))
        for type_id, name, singular, modified, minimum, shown, make in rows
    )
