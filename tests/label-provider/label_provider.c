/* A provider of security labels that takes any label: Debian's packages have none. */
#include "postgres.h"
#include "commands/seclabel.h"
#include "fmgr.h"

PG_MODULE_MAGIC;

void _PG_init(void);

static void accept_label(const ObjectAddress *object, const char *label)
{
}

void _PG_init(void)
{
    register_label_provider("tests' labels", accept_label);
}
