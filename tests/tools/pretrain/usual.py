"""Columns that tables of any trade have: where a row came from, who keeps it, what is planned."""

from __future__ import annotations

from dataclasses import dataclass

from dbt_t2s.project.schema import Kind, Role


@dataclass(frozen=True)
class Usual:
    name: str
    kind: Kind
    role: Role
    description: str = ""
    synonyms: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


def _day(name: str, description: str, *synonyms: str) -> Usual:
    kind = Kind.TIMESTAMP if name.endswith("_at") else Kind.DATE
    return Usual(name, kind, Role.TIME, description, synonyms)


def _flag(name: str, description: str, *synonyms: str) -> Usual:
    return Usual(name, Kind.BOOLEAN, Role.FLAG, description, synonyms)


def _number(name: str, description: str, *synonyms: str) -> Usual:
    return Usual(name, Kind.NUMBER, Role.MEASURE, description, synonyms)


def _text(name: str, description: str, *synonyms: str) -> Usual:
    return Usual(name, Kind.TEXT, Role.TEXT, description, synonyms)


def _listed(name: str, description: str, *values: str) -> Usual:
    return Usual(name, Kind.TEXT, Role.CATEGORY, description, (), values)


COLUMNS = (
    _day("loaded_at", "When the row reached the warehouse."),
    _day("updated_at", "When the row was last changed.", "last modified"),
    _day("archived_on", "Day of archiving; empty if not archived."),
    _day("exported_on", "Day of the last export."),
    _day("reviewed_on", "Day of the last review; empty if never reviewed."),
    _day("confirmed_on", "Day of confirmation; empty if not confirmed."),
    _day("notified_at", "When a notice was sent."),
    _day("valid_from", "First day on which the row holds."),
    _day("valid_to", "Last day on which the row holds; empty if it still does."),
    _day("audited_on", "Day of the last audit."),
    _day("posted_on", "Day of posting to the ledger.", "booking day"),
    _day("expires_on", "Day on which it runs out.", "expiry"),
    _flag("is_internal", "Made for the company itself."),
    _flag("is_migrated", "Taken over from the old system.", "legacy"),
    _flag("is_locked", "Nobody may change it any more."),
    _flag("is_duplicate", "There twice."),
    _flag("needs_review", "Somebody should look at it."),
    _flag("has_attachment", "With a file attached."),
    _flag("is_estimated", "Estimated, not measured."),
    _flag("is_exported", "Handed over to accounting."),
    _flag("was_corrected", "Changed after the fact."),
    _flag("is_anonymised", "Without personal data."),
    _flag("is_vip", "Of special importance."),
    _flag("is_automatic", "Made by a machine."),
    _number("tax_amount", "Tax in euros.", "vat"),
    _number("fee_amount", "Fees in euros.", "charges"),
    _number("planned_amount", "What was planned, in euros."),
    _number("forecast_amount", "What is expected, in euros."),
    _number("previous_amount", "The amount before the last change."),
    _number("discount_pct", "Discount in per cent."),
    _number("version_no", "Number of the version."),
    _number("retry_count", "How often it was tried again."),
    _number("page_count", "Pages."),
    _number("priority_score", "The higher, the more urgent."),
    _number("exchange_rate", "Rate to the euro."),
    _number("target_value", "What should be reached."),
    _number("completeness", "Share of fields that are filled."),
    _text("created_by", "Who entered it.", "entered by"),
    _text("updated_by", "Who changed it last."),
    _text("external_ref", "Number in the other system."),
    _text("internal_note", "Remarks of colleagues.", "remark"),
    _text("approver", "Who signed it off."),
    _text("batch_no", "Number of the load."),
    _listed("source_system", "Where the row comes from.", "crm", "erp", "import", "api", "manual"),
    _listed("data_quality", "What the checks say.", "ok", "suspect", "broken"),
    _listed("record_state", "State of the record.", "draft", "final", "locked", "obsolete"),
    _listed("legal_entity", "Company it belongs to.", "North BV", "South Ltd", "Central GmbH"),
    _listed("currency", "Currency of the amounts.", "EUR", "USD", "GBP", "CHF"),
    _listed("entry_mode", "How it was entered.", "online", "phone", "desk", "partner", "batch"),
    _listed("tax_class", "Class of tax.", "standard", "reduced", "exempt"),
    _listed("risk_level", "How risky it is.", "low", "medium", "high"),
    _listed("cost_center", "Who bears the cost.", "sales", "operations", "head office", "it"),
    _listed("language", "Language of the papers.", "english", "german", "french", "dutch"),
    _listed("time_of_day", "Part of the day.", "morning", "afternoon", "evening", "night"),
    _listed("size_class", "How large it is.", "small", "medium", "large"),
    _listed("review_outcome", "What the review said.", "passed", "failed", "open"),
    _listed("channel_group", "Group of channels.", "direct", "partner", "digital", "offline"),
)  # fmt: skip
