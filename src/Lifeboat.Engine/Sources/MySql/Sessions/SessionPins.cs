using System.Globalization;

namespace Lifeboat.Engine.Sources.MySql.Sessions;

/// <summary>
/// Session variables that a server, an account (<c>init_connect</c>) or a client program's options may have set, and on which what we read, write or
/// print depends. Only those that differ are set: some may be set by few accounts.
/// </summary>
internal static class SessionPins
{
    private const string None = "NULL";

    /// <summary>Values as SHOW VARIABLES prints them.</summary>
    private static readonly (string Variable, string Value)[] s_always =
    [
        ("autocommit", "ON"), ("completion_type", "NO_CHAIN"), ("tx_read_only", "OFF"), ("transaction_read_only", "OFF"),
        ("sql_safe_updates", "OFF"), ("sql_auto_is_null", "OFF"), ("sql_big_selects", "ON"), ("max_join_size", "18446744073709551615"),
        ("sql_buffer_result", "OFF"), ("sql_if_exists", "OFF"), ("sql_quote_show_create", "ON"), ("check_constraint_checks", "OFF"),
        ("max_statement_time", "0"), ("max_execution_time", "0"), ("max_sort_length", "1024"), ("div_precision_increment", "4"),
        ("idle_transaction_timeout", "0"), ("idle_readonly_transaction_timeout", "0"), ("idle_write_transaction_timeout", "0"),
        ("lc_time_names", "en_US"), ("old_mode", "UTF8_IS_UTF8MB3"), ("system_versioning_asof", "DEFAULT"),
        ("information_schema_stats_expiry", "0"), ("print_identified_with_as_hex", "ON"), ("show_gipk_in_create_table_and_information_schema", "ON"),
        ("show_create_table_verbosity", "OFF"), ("show_create_table_skip_secondary_engine", "OFF"), ("default_collation_for_utf8mb4", "utf8mb4_0900_ai_ci"),
    ];

    /// <summary>Those on which it depends whether definitions are taken as they were written.</summary>
    private static readonly (string Variable, string Value)[] s_forWriting =
    [
        ("explicit_defaults_for_timestamp", "ON"), ("enforce_storage_engine", None), ("innodb_strict_mode", "OFF"), ("innodb_compression_default", "OFF"),
        ("innodb_default_encryption_key_id", "1"), ("alter_algorithm", "DEFAULT"), ("restrict_fk_on_non_standard_key", "OFF"),
        ("sql_generate_invisible_primary_key", "OFF"), ("sql_require_primary_key", "OFF"),
    ];

    /// <summary>The statement that sets what differs; null where nothing does.</summary>
    /// <param name="now">The session's variables.</param>
    public static string? Statement(IReadOnlyDictionary<string, string> now, bool forWriting)
    {
        string[] sets =
        [
            .. s_always.Concat(forWriting ? s_forWriting : [])
                .Where(pin => now.TryGetValue(pin.Variable, out string? value) && !Same(value, pin.Value))
                .Select(static pin => $"{pin.Variable} = {Sql(pin.Variable, pin.Value)}"),
        ];
        return sets.Length == 0 ? null : $"SET {string.Join(", ", sets)}";
    }

    private static bool Same(string value, string wanted) =>
        value == wanted || (wanted == None && value.Length == 0)
        || (decimal.TryParse(value, CultureInfo.InvariantCulture, out decimal a) && decimal.TryParse(wanted, CultureInfo.InvariantCulture, out decimal b) && a == b);

    /// <summary>The word DEFAULT is what the server has, but for one variable, of which it is none.</summary>
    private static string Sql(string variable, string value) =>
        value is None or "ON" or "OFF" || value.All(char.IsAsciiDigit) || variable == "system_versioning_asof" ? value : $"'{value}'";
}
