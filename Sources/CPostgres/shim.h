// libpq, and the result-field codes that the Swift importer does not take over (character macros become CChar there).
#pragma once
#include <libpq-fe.h>

static inline int squall_pg_field_severity(void) { return PG_DIAG_SEVERITY_NONLOCALIZED; }
static inline int squall_pg_field_sqlstate(void) { return PG_DIAG_SQLSTATE; }
static inline int squall_pg_field_message(void) { return PG_DIAG_MESSAGE_PRIMARY; }
