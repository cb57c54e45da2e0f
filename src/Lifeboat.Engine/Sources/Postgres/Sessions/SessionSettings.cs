using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>
/// The settings that values are written and read with: those of pg_dump, and whatever else would make the same value come out as another text (time zone, currency,
/// quoting), hide rows, or end a session, so that a digest depends on the data alone. A role and a database may carry settings of their own (<c>ALTER ROLE … SET</c>,
/// <c>ALTER DATABASE … SET</c>): those of a connection's start packet win over them, for our sessions and for every client program alike.
/// </summary>
/// <remarks>
/// What changes nothing but the plan of a query (costs, memory, <c>enable_*</c>) is left as it is. So is <c>session_preload_libraries</c>: only a superuser may set it,
/// and a library that it names may be one that gives security labels.
/// </remarks>
internal static class SessionSettings
{
    /// <summary>
    /// Every name in a statement of ours is one of pg_catalog's, or is written with its schema: with this path nothing that the database's owner makes is found under such
    /// a name. <c>pg_catalog</c> is said, and so comes first; <c>pg_temp</c> is said to come last, because unsaid it would be searched first for tables and types.
    /// An empty path would do for functions and operators, and not for those.
    /// </summary>
    public const string SearchPath = "pg_catalog, pg_temp";

    /// <summary>Does not compare anything, and so is safe before the path is known to hold: what asks for it in the start packet may have been dropped by a pooler.</summary>
    public const string SearchPathSql = $"COPY (SELECT pg_catalog.set_config('search_path', '{SearchPath}', false)) TO STDOUT";

    /// <summary>
    /// The server's own guard (August 2024: 13.16, 14.13, 15.8, 16.4, 17) against a view or foreign table that takes the place of a table or sequence before it is read by
    /// name: reading one is an error, unless it is the system's.
    /// </summary>
    public const string RestrictRelations = "restrict_nonsystem_relation_kind";

    /// <summary>For restore.sql: what reading the data by hand depends on.</summary>
    public static IReadOnlyList<(string Name, string Value)> ForData { get; } =
    [
        ("DateStyle", "ISO, MDY"), ("IntervalStyle", "postgres"), ("TimeZone", "UTC"), ("extra_float_digits", "3"),
        ("bytea_output", "hex"), ("lc_monetary", "C"), ("xmloption", "content"), ("xmlbinary", "base64"), ("array_nulls", "on"),
        ("standard_conforming_strings", "on"), ("quote_all_identifiers", "off"), ("search_path", ""), ("row_security", "off"),
        ("check_function_bodies", "off"), ("client_min_messages", "warning"), ("statement_timeout", "0"), ("lock_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"), ("idle_session_timeout", "0"), ("transaction_timeout", "0"),
    ];

    // Every server knows these (13 and later), and every user may set them.
    private static readonly (string Name, string Value)[] s_everywhere =
    [
        ("search_path", SearchPath), ("DateStyle", "ISO, MDY"), ("IntervalStyle", "postgres"), ("TimeZone", "UTC"), ("extra_float_digits", "3"), ("bytea_output", "hex"),
        ("lc_monetary", "C"), ("xmloption", "content"), ("xmlbinary", "base64"), ("array_nulls", "on"), ("standard_conforming_strings", "on"),
        ("backslash_quote", "safe_encoding"), ("quote_all_identifiers", "off"), ("row_security", "off"), ("check_function_bodies", "off"),
        ("client_min_messages", "warning"), ("statement_timeout", "0"), ("lock_timeout", "0"), ("idle_in_transaction_session_timeout", "0"),
        ("default_transaction_read_only", "off"), ("default_transaction_isolation", "read committed"), ("default_transaction_deferrable", "off"),
        ("transform_null_equals", "off"), ("synchronize_seqscans", "off"), ("gin_fuzzy_search_limit", "0"), ("exit_on_error", "off"), ("jit", "off"),
        ("default_tablespace", ""), ("temp_tablespaces", ""), ("default_table_access_method", "heap"), ("local_preload_libraries", ""),
    ];

    // Some servers do not know these, and some of them only a superuser may set.
    private static readonly (string Name, string Value)[] s_whereKnown =
    [
        ("idle_session_timeout", "0"), ("transaction_timeout", "0"), ("escape_string_warning", "off"), ("stats_fetch_consistency", "cache"), ("createrole_self_grant", ""),
        ("force_parallel_mode", "off"), ("debug_parallel_query", "off"), (RestrictRelations, ""),
        ("lc_messages", "C"), ("session_replication_role", "origin"), ("zero_damaged_pages", "off"), ("ignore_checksum_failure", "off"),
    ];

    /// <summary>For the start of every connection, the client programs' too.</summary>
    public static string StartOptions { get; } = Options(s_everywhere);

    /// <summary>Makes all settings that the server knows and the user may make; gives their names.</summary>
    public static string Sql { get; } =
        $"""
        SELECT s.name, pg_catalog.set_config(s.name, v.value, false) FROM (VALUES {Values()}) v(name, value)
        JOIN pg_catalog.pg_settings s ON pg_catalog.lower(s.name) = pg_catalog.lower(v.name)
        WHERE s.context = 'user' OR (s.context = 'superuser' AND (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user))
        """;

    /// <summary>For the start of a connection to a server of which <see cref="Sql"/> has told what it knows.</summary>
    /// <param name="asLoggedIn">Whether the user is to be whoever has logged in, whatever role a setting gives it.</param>
    public static string StartOptionsWith(IEnumerable<string> known, bool asLoggedIn)
    {
        HashSet<string> names = new(known, StringComparer.OrdinalIgnoreCase);
        IEnumerable<(string Name, string Value)> settings = [.. s_everywhere, .. s_whereKnown.Where(setting => names.Contains(setting.Name))];
        return Options(asLoggedIn ? settings.Append(("role", "none")) : settings);
    }

    /// <summary>A setting as <c>options</c> of a connection have it (PostgreSQL manual, 34.1.2).</summary>
    public static string StartOption(string name, string value) =>
        $"-c {name}={value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(" ", "\\ ", StringComparison.Ordinal)}";

    private static string Options(IEnumerable<(string Name, string Value)> settings) => string.Join(' ', settings.Select(static s => StartOption(s.Name, s.Value)));

    private static string Values() => string.Join(", ", s_everywhere.Where(static s => s.Name != "client_min_messages").Concat(s_whereKnown)
        // Warnings would only be in the way of the errors.
        .Append(("client_min_messages", "error"))
        .Select(static s => $"({SqlText.Literal(s.Item1)}, {SqlText.Literal(s.Item2)})"));
}
