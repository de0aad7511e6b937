"""The objects of the sandbox org: the standard ones that reverse ETL writes to, and a few custom fields on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.destinations.salesforce.sandbox.fields import Field, make

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_RATINGS = ("Hot", "Warm", "Cold")
_INDUSTRIES = (
    "Agriculture",
    "Banking",
    "Biotechnology",
    "Consulting",
    "Education",
    "Energy",
    "Finance",
    "Healthcare",
    "Insurance",
    "Manufacturing",
    "Media",
    "Retail",
    "Technology",
    "Telecommunications",
    "Other",
)
_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
_SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.")
_STAGES = (
    "Prospecting",
    "Qualification",
    "Needs Analysis",
    "Value Proposition",
    "Id. Decision Makers",
    "Perception Analysis",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
)


@dataclass(frozen=True)
class ObjectSpec:
    """One object: its name, the three characters its ids begin with, and its own fields."""

    name: str
    key_prefix: str
    fields: tuple[Field, ...]
    plural: str = ""
    writable: bool = True

    @property
    def label(self) -> str:
        """The words for one record."""
        return self.name.removesuffix("__c").replace("_", " ")


def _text(name: str, length: int, **how: Any) -> Field:
    return make(name, "string", length=length, **how)


def _name(length: int = 255) -> Field:
    return _text("Name", length, nillable=False, name_field=True)


def _picklist(name: str, values: tuple[str, ...], **how: Any) -> Field:
    return make(name, "picklist", values=values, **how)


def _long_text(name: str, length: int = 32000) -> Field:
    return make(name, "textarea", length=length)


def _lookup(name: str, *objects: str, **how: Any) -> Field:
    relationship = name.removesuffix("Id") if name.endswith("Id") else name.replace("__c", "__r")
    return make(name, "reference", reference_to=objects, relationship=relationship, **how)


def _owner(*objects: str) -> Field:
    return _lookup("OwnerId", *(objects or ("User",)), nillable=False, defaulted_on_create=True)


def _read_only(name: str, kind: str, **how: Any) -> Field:
    return make(name, kind, createable=False, updateable=False, **how)


def _address(prefix: str) -> list[Field]:
    parts = ("Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude")

    def together(row: Mapping[str, Any]) -> object:
        found = {part[0].lower() + part[1:]: row.get(prefix + part) for part in parts}
        return found if any(value is not None for value in found.values()) else None

    return [
        make(f"{prefix}Street", "textarea", length=255),
        _text(f"{prefix}City", 40),
        _text(f"{prefix}State", 80),
        _text(f"{prefix}PostalCode", 20),
        _text(f"{prefix}Country", 80),
        make(f"{prefix}Latitude", "double", precision=18, scale=15),
        make(f"{prefix}Longitude", "double", precision=18, scale=15),
        make(f"{prefix}Address", "address", formula=together),
    ]


def _person() -> list[Field]:
    def full_name(row: Mapping[str, Any]) -> str:
        return " ".join(part for part in (row.get("FirstName"), row.get("LastName")) if part)

    return [
        _text("LastName", 80, nillable=False),
        _text("FirstName", 40),
        _picklist("Salutation", _SALUTATIONS),
        _text("Name", 121, label="Full Name", nillable=False, name_field=True, formula=full_name),
    ]


def _stage_is(*stages: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda row: row.get("StageName") in stages


def system_fields() -> tuple[Field, ...]:
    """Give the fields that every object has and that only Salesforce writes."""
    return (
        _read_only("Id", "id", nillable=False, id_lookup=True, defaulted_on_create=True),
        _read_only("IsDeleted", "boolean", label="Deleted"),
        _read_only("CreatedDate", "datetime", nillable=False, defaulted_on_create=True),
        _read_only("CreatedById", "reference", reference_to=("User",), relationship="CreatedBy", nillable=False),
        _read_only("LastModifiedDate", "datetime", nillable=False, defaulted_on_create=True),
        _read_only(
            "LastModifiedById", "reference", reference_to=("User",), relationship="LastModifiedBy", nillable=False
        ),
        _read_only("SystemModstamp", "datetime", nillable=False, defaulted_on_create=True),
    )


def _account() -> ObjectSpec:
    standard = [
        _name(),
        _picklist("Type", ("Prospect", "Customer", "Partner", "Other"), label="Account Type"),
        _lookup("ParentId", "Account", label="Parent Account ID"),
        *_address("Billing"),
        *_address("Shipping"),
        make("Phone", "phone", label="Account Phone"),
        make("Fax", "phone"),
        _text("AccountNumber", 40),
        make("Website", "url"),
        _text("Sic", 20, label="SIC Code"),
        _picklist("Industry", _INDUSTRIES),
        make("AnnualRevenue", "currency"),
        make("NumberOfEmployees", "int", label="Employees"),
        _picklist("Ownership", ("Public", "Private", "Subsidiary", "Other")),
        _text("TickerSymbol", 20),
        _long_text("Description"),
        _picklist("Rating", _RATINGS),
        _text("Site", 80),
        _owner(),
        _read_only("LastActivityDate", "date"),
        _picklist("AccountSource", _SOURCES),
    ]
    custom = [
        _text("External_Id__c", 255, external_id=True, unique=True),
        _text("Strict_Id__c", 255, external_id=True, unique=True, case_sensitive=True),
        make("Number_Id__c", "double", external_id=True, unique=True),
        _text("Loose_Id__c", 255, external_id=True),
        make("aps__c", "double", label="Account Propensity Score", scale=6),
        make("Active__c", "boolean"),
        _picklist("Tier__c", ("Gold", "Silver", "Bronze"), restricted=True),
        make("Regions__c", "multipicklist", values=("North", "South", "East", "West"), restricted=True),
        make("Discount__c", "percent", precision=5, scale=2),
        make("Score_Date__c", "date"),
        make("Scored_At__c", "datetime"),
        make("Opens_At__c", "time"),
        _long_text("Notes__c", 32768),
    ]
    return ObjectSpec("Account", "001", (*standard, *custom), "Accounts")


def _contact() -> ObjectSpec:
    own = [
        _lookup("AccountId", "Account"),
        *_person(),
        *_address("Mailing"),
        make("Phone", "phone", label="Business Phone"),
        make("MobilePhone", "phone"),
        _lookup("ReportsToId", "Contact"),
        make("Email", "email", id_lookup=True),
        _text("Title", 128),
        _text("Department", 80),
        _picklist("LeadSource", _SOURCES),
        make("Birthdate", "date"),
        _long_text("Description"),
        _owner(),
        make("HasOptedOutOfEmail", "boolean", label="Email Opt Out"),
        make("DoNotCall", "boolean"),
        _text("External_Id__c", 255, external_id=True, unique=True),
    ]
    return ObjectSpec("Contact", "003", tuple(own), "Contacts")


def _lead() -> ObjectSpec:
    own = [
        *_person(),
        _text("Title", 128),
        _text("Company", 255, nillable=False),
        *_address(""),
        make("Phone", "phone"),
        make("MobilePhone", "phone"),
        make("Email", "email", id_lookup=True),
        make("Website", "url"),
        _long_text("Description"),
        _picklist("LeadSource", _SOURCES),
        _picklist(
            "Status",
            ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted"),
            nillable=False,
            defaulted_on_create=True,
            default="Open - Not Contacted",
        ),
        _picklist("Industry", _INDUSTRIES),
        _picklist("Rating", _RATINGS),
        make("AnnualRevenue", "currency"),
        make("NumberOfEmployees", "int", label="Employees"),
        _owner("Group", "User"),
        _read_only("IsConverted", "boolean", label="Converted"),
        _text("External_Id__c", 255, external_id=True, unique=True),
    ]
    return ObjectSpec("Lead", "00Q", tuple(own), "Leads")


def _opportunity() -> ObjectSpec:
    own = [
        _lookup("AccountId", "Account"),
        _name(120),
        _long_text("Description"),
        _picklist("StageName", _STAGES, label="Stage", nillable=False),
        make("Amount", "currency", scale=2),
        make("Probability", "percent", precision=3),
        make("CloseDate", "date", nillable=False),
        _picklist("Type", ("Existing Customer - Upgrade", "New Customer"), label="Opportunity Type"),
        _text("NextStep", 255),
        _picklist("LeadSource", _SOURCES),
        _read_only("IsClosed", "boolean", label="Closed", formula=_stage_is("Closed Won", "Closed Lost")),
        _read_only("IsWon", "boolean", label="Won", formula=_stage_is("Closed Won")),
        _lookup("CampaignId", "Campaign"),
        _owner(),
        _text("External_Id__c", 255, external_id=True, unique=True),
    ]
    return ObjectSpec("Opportunity", "006", tuple(own), "Opportunities")


def _case() -> ObjectSpec:
    own = [
        make("CaseNumber", "string", length=30, nillable=False, auto_number=True, name_field=True, id_lookup=True),
        _lookup("ContactId", "Contact"),
        _lookup("AccountId", "Account"),
        _picklist("Status", ("New", "Working", "Escalated", "Closed"), defaulted_on_create=True, default="New"),
        _picklist("Origin", ("Phone", "Email", "Web"), label="Case Origin"),
        _picklist("Priority", ("High", "Medium", "Low"), defaulted_on_create=True, default="Medium"),
        _text("Subject", 255),
        _long_text("Description"),
        make("SuppliedEmail", "email"),
        _owner("Group", "User"),
        _text("External_Id__c", 255, external_id=True, unique=True),
    ]
    return ObjectSpec("Case", "500", tuple(own), "Cases")


def _campaign() -> ObjectSpec:
    own = [
        _name(80),
        _lookup("ParentId", "Campaign", label="Parent Campaign ID"),
        _picklist("Type", ("Conference", "Webinar", "Email", "Other")),
        _picklist("Status", ("Planned", "In Progress", "Completed", "Aborted")),
        make("StartDate", "date"),
        make("EndDate", "date"),
        make("BudgetedCost", "currency"),
        make("IsActive", "boolean", label="Active"),
        _long_text("Description"),
        _owner(),
        _text("External_Id__c", 255, external_id=True, unique=True),
    ]
    return ObjectSpec("Campaign", "701", tuple(own), "Campaigns")


def _task() -> ObjectSpec:
    own = [
        _lookup("WhoId", "Contact", "Lead", label="Name ID"),
        _lookup("WhatId", "Account", "Opportunity", "Case", "Campaign", label="Related To ID"),
        _text("Subject", 255),
        make("ActivityDate", "date", label="Due Date Only"),
        _picklist(
            "Status",
            ("Not Started", "In Progress", "Completed"),
            nillable=False,
            defaulted_on_create=True,
            default="Not Started",
        ),
        _picklist("Priority", ("High", "Normal", "Low"), nillable=False, defaulted_on_create=True, default="Normal"),
        _owner("Group", "User"),
        _long_text("Description"),
        _text("External_Id__c", 255, external_id=True, unique=True),
    ]
    return ObjectSpec("Task", "00T", tuple(own), "Tasks")


def _people() -> list[ObjectSpec]:
    user = [
        _text("Username", 80, nillable=False, unique=True, id_lookup=True),
        *_person(),
        make("Email", "email", nillable=False, id_lookup=True),
        _text("Alias", 8, nillable=False),
        make("IsActive", "boolean", label="Active", default=True),
        _text("TimeZoneSidKey", 40, default="GMT"),
        _text("FederationIdentifier", 512, unique=True, id_lookup=True, case_sensitive=True),
    ]
    group = [_name(40), _text("DeveloperName", 80), _picklist("Type", ("Regular", "Queue"), nillable=False)]
    organization = [
        _name(80),
        make("IsSandbox", "boolean", label="Is Sandbox"),
        _text("InstanceName", 5),
        _picklist("OrganizationType", ("Developer Edition", "Enterprise Edition"), label="Edition"),
        _text("TimeZoneSidKey", 40, default="GMT"),
    ]
    return [
        ObjectSpec("User", "005", tuple(user), "Users"),
        ObjectSpec("Group", "00G", tuple(group), "Groups"),
        ObjectSpec("Organization", "00D", tuple(organization), "Organizations", writable=False),
    ]


def standard_objects() -> Sequence[ObjectSpec]:
    """Give the objects of a new sandbox org."""
    return [_account(), _contact(), _lead(), _opportunity(), _case(), _campaign(), _task(), *_people()]
