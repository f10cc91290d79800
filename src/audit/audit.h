/* The shapes of the audit trail. */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "http/route.h"

extern const struct service audit_service;

#endif
