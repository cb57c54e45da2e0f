using System.Globalization;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <param name="Columns">The statement is run only where the table has all of these.</param>
/// <param name="Not">What must not be so afterwards: a condition in which <c>:rows</c> is the number of rows that the statement has changed.</param>
/// <param name="Without">… and not this one; null for no such condition.</param>
internal sealed record OdooStatement(string What, string Table, IReadOnlyList<string> Columns, string Sql, string Not, string? Without = null)
{
    /// <summary>The condition, of a statement that has changed so many rows. A trigger or rule may have kept the others as they were, or changed them back.</summary>
    public string IsNotSo(long rows) => Not.Replace(":rows", rows.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
}

/// <summary>
/// What keeps a copy of an Odoo database from acting on the outside (Odoo's documentation, "Neutralized database"): mail, scheduled jobs, payments, deliveries,
/// credits, webhooks, synchronised calendars. Tables and columns differ between versions and installed modules; each statement is for those that have it.
/// </summary>
internal static class OdooNeutral
{
    private const string NoMail = "NOT EXISTS (SELECT FROM ir_mail_server WHERE active AND smtp_host = 'invalid')";

    public static IReadOnlyList<OdooStatement> All { get; } =
    [
        new("outgoing mail servers inactive", "ir_mail_server", ["active"], "UPDATE ir_mail_server SET active = false",
            Some("ir_mail_server", "active")),
        // Without an active mail server Odoo would take the one of its configuration file.
        new("a mail server that reaches nobody", "ir_mail_server", ["name", "smtp_host", "smtp_port", "smtp_encryption", "smtp_authentication", "active"],
            "INSERT INTO ir_mail_server (name, smtp_host, smtp_port, smtp_encryption, smtp_authentication, active) VALUES ('neutral copy: no mail', 'invalid', 1025, 'none', 'login', true)",
            NoMail),
        new("a mail server that reaches nobody", "ir_mail_server", ["name", "smtp_host", "smtp_port", "smtp_encryption", "active"],
            "INSERT INTO ir_mail_server (name, smtp_host, smtp_port, smtp_encryption, active) VALUES ('neutral copy: no mail', 'invalid', 1025, 'none', true)",
            NoMail, "smtp_authentication"),
        new("mail templates without a mail server of their own", "mail_template", ["mail_server_id"], "UPDATE mail_template SET mail_server_id = NULL",
            Some("mail_template", "mail_server_id IS NOT NULL")),
        new("incoming mail servers inactive", "fetchmail_server", ["active"], "UPDATE fetchmail_server SET active = false",
            Some("fetchmail_server", "active")),
        new("scheduled jobs inactive, but for the one that cleans up", "ir_cron", ["active"],
            "UPDATE ir_cron SET active = false WHERE id NOT IN (SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND name = 'autovacuum_job')",
            Some("ir_cron", "active AND id NOT IN (SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND name = 'autovacuum_job')")),
        new("payment providers disabled, but for those in test mode", "payment_provider", ["state"], "UPDATE payment_provider SET state = 'disabled' WHERE state <> 'test'",
            Some("payment_provider", "state NOT IN ('test', 'disabled')")),
        new("payment providers not live", "payment_provider", ["is_live"], "UPDATE payment_provider SET is_live = false",
            Some("payment_provider", "is_live")),
        new("payment acquirers disabled, but for those in test mode", "payment_acquirer", ["state"], "UPDATE payment_acquirer SET state = 'disabled' WHERE state <> 'test'",
            Some("payment_acquirer", "state NOT IN ('test', 'disabled')")),
        new("delivery carriers in test mode", "delivery_carrier", ["prod_environment"], "UPDATE delivery_carrier SET prod_environment = false",
            Some("delivery_carrier", "prod_environment")),
        new("credits of in-app purchases disabled", "iap_account", ["account_token"], @"UPDATE iap_account SET account_token = regexp_replace(account_token, '(\+.*)?$', '+disabled')",
            Some("iap_account", "account_token NOT LIKE '%+disabled'")),
        new("webhooks to other servers without an address", "ir_act_server", ["webhook_url"], "UPDATE ir_act_server SET webhook_url = NULL",
            Some("ir_act_server", "webhook_url IS NOT NULL")),
        new("other addresses for incoming webhooks", "base_automation", ["webhook_uuid"],
            "UPDATE base_automation SET webhook_uuid = pg_catalog.gen_random_uuid()::text WHERE webhook_uuid IS NOT NULL", ":rows <> (SELECT count(*) FROM base_automation WHERE webhook_uuid IS NOT NULL)"),
        new("logins by other providers disabled", "auth_oauth_provider", ["enabled"], "UPDATE auth_oauth_provider SET enabled = false",
            Some("auth_oauth_provider", "enabled")),
        new("no tokens of Google calendars", "res_users_settings", ["google_calendar_rtoken", "google_calendar_token"],
            "UPDATE res_users_settings SET google_calendar_rtoken = NULL, google_calendar_token = NULL",
            Some("res_users_settings", "google_calendar_rtoken IS NOT NULL OR google_calendar_token IS NOT NULL")),
        new("no tokens of Microsoft calendars", "res_users_settings", ["microsoft_calendar_rtoken", "microsoft_calendar_token"],
            "UPDATE res_users_settings SET microsoft_calendar_rtoken = NULL, microsoft_calendar_token = NULL",
            Some("res_users_settings", "microsoft_calendar_rtoken IS NOT NULL OR microsoft_calendar_token IS NOT NULL")),
        new("no tokens of Google calendars", "res_users", ["google_calendar_rtoken", "google_calendar_token"],
            "UPDATE res_users SET google_calendar_rtoken = NULL, google_calendar_token = NULL",
            Some("res_users", "google_calendar_rtoken IS NOT NULL OR google_calendar_token IS NOT NULL")),
        new("no tokens of Microsoft calendars", "res_users", ["microsoft_calendar_rtoken", "microsoft_calendar_token"],
            "UPDATE res_users SET microsoft_calendar_rtoken = NULL, microsoft_calendar_token = NULL",
            Some("res_users", "microsoft_calendar_rtoken IS NOT NULL OR microsoft_calendar_token IS NOT NULL")),
        new("websites without a domain", "website", ["domain"], "UPDATE website SET domain = NULL",
            Some("website", "domain IS NOT NULL")),
        new("websites without a content delivery network", "website", ["cdn_activated"], "UPDATE website SET cdn_activated = false",
            Some("website", "cdn_activated")),
        new("a database id and secret of its own, and no subscription code", "ir_config_parameter", ["key", "value"],
            "UPDATE ir_config_parameter SET value = CASE WHEN key = 'database.enterprise_code' THEN '' ELSE pg_catalog.gen_random_uuid()::text END "
            + "WHERE key IN ('database.uuid', 'database.secret', 'database.enterprise_code')", 
            ":rows <> (SELECT count(*) FROM ir_config_parameter WHERE key IN ('database.uuid', 'database.secret', 'database.enterprise_code'))"),
        new("the mark that Odoo shows in a neutral copy", "ir_config_parameter", ["key", "value"],
            "WITH known AS (UPDATE ir_config_parameter SET value = 'true' WHERE key = 'database.is_neutralized' RETURNING 1) "
            + "INSERT INTO ir_config_parameter (key, value) SELECT 'database.is_neutralized', 'true' WHERE NOT EXISTS (SELECT FROM known)", 
            "NOT EXISTS (SELECT FROM ir_config_parameter WHERE key = 'database.is_neutralized' AND value = 'true')"),
    ];

    /// <summary>That some rows are still as they must not be.</summary>
    private static string Some(string table, string condition) => $"EXISTS (SELECT FROM {table} WHERE {condition})";
}
