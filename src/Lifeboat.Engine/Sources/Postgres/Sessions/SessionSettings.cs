using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>
/// The settings that values are written and read with: those of pg_dump, and whatever else would make the same value come out as
/// another text (time zone, currency, quoting), so that a digest depends on the data alone.
/// </summary>
internal static class SessionSettings
{
    /// <summary>For restore.sql: what reading the data by hand depends on.</summary>
    public static IReadOnlyList<(string Name, string Value)> ForData { get; } =
    [
        ("DateStyle", "ISO, MDY"), ("IntervalStyle", "postgres"), ("TimeZone", "UTC"), ("extra_float_digits", "3"),
        ("bytea_output", "hex"), ("lc_monetary", "C"), ("xmloption", "content"), ("xmlbinary", "base64"), ("array_nulls", "on"),
        ("standard_conforming_strings", "on"), ("quote_all_identifiers", "off"), ("search_path", ""), ("row_security", "off"),
        ("check_function_bodies", "off"), ("client_min_messages", "warning"), ("statement_timeout", "0"), ("lock_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"), ("idle_session_timeout", "0"), ("transaction_timeout", "0"),
    ];

    /// <summary>
    /// For the start of every connection, the client programs' too: what pg_dump, pg_dumpall and pg_restore leave to the role's and the database's settings, and to
    /// the server's, although what they write or read depends on it, or it would stop them. Every server knows these (13 and later), and every user may set them.
    /// </summary>
    public static string StartOptions { get; } = string.Join(' ',
    [
        "-c TimeZone=UTC", "-c IntervalStyle=postgres", "-c lc_monetary=C", "-c bytea_output=hex", "-c array_nulls=on", "-c quote_all_identifiers=off",
        "-c default_transaction_read_only=off", "-c statement_timeout=0", "-c idle_in_transaction_session_timeout=0",
    ]);

    /// <summary>Makes all settings that the server knows; one statement, whose output says nothing.</summary>
    public static string Sql { get; } =
        $"""
        COPY (SELECT pg_catalog.set_config(s.name, v.value, false) FROM (VALUES {Values()}) v(name, value)
        JOIN pg_catalog.pg_settings s ON pg_catalog.lower(s.name) = pg_catalog.lower(v.name)) TO STDOUT
        """;

    private static string Values() => string.Join(", ", ForData.Where(static s => s.Name != "client_min_messages").Concat(
    [
        // Warnings would only be in the way of the errors.
        ("client_min_messages", "error"), ("synchronize_seqscans", "off"), ("default_transaction_read_only", "off"),
            ("default_transaction_deferrable", "off"),
        ("default_transaction_isolation", "read committed"), ("transform_null_equals", "off"), ("jit", "off"),
    ]).Select(static s => $"({SqlText.Literal(s.Item1)}, {SqlText.Literal(s.Item2)})"));
}
