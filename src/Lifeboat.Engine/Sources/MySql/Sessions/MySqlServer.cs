using System.Globalization;

namespace Lifeboat.Engine.Sources.MySql.Sessions;

/// <summary>What a server is and which features it has, as it says itself.</summary>
/// <param name="Version">As <c>VERSION()</c> has it: <c>10.11.19-MariaDB-0+deb12u1</c>, <c>9.7.0</c>.</param>
/// <param name="Account">Whom it takes us for: <c>root@localhost</c>.</param>
/// <param name="MaxAllowedPacket">The longest statement that it takes, in bytes.</param>
/// <param name="Variables">Names of its system variables: a feature that has one tells of itself by it.</param>
/// <param name="LowerCaseTableNames">0 where names are told apart by case.</param>
public sealed record MySqlServer(string Version, string Account, long MaxAllowedPacket, int LowerCaseTableNames, IReadOnlySet<string> Variables)
{
    /// <summary>What tells it from other servers.</summary>
    public string Place { get; private init; } = "";

    /// <summary>Whether a right on the whole server may have exceptions for single databases (MySQL).</summary>
    public bool HasPartialRevokes { get; private init; }

    public static MySqlServer Unknown { get; } = new("", "", 0, 0, new HashSet<string>());

    /// <summary>The two families differ in what SHOW CREATE prints and in how accounts are written.</summary>
    public string Family => Version.Contains("MariaDB", StringComparison.OrdinalIgnoreCase) ? "mariadb" : "mysql";

    public string Name => Family == "mariadb" ? $"MariaDB {Number}" : $"MySQL {Number}";

    /// <summary>Major and minor version: within one, SHOW CREATE prints the same.</summary>
    public string Series => string.Join('.', Number.Split('.').Take(2));

    /// <summary>Whether past rows of system-versioned tables can be written (<c>system_versioning_insert_history</c>, MariaDB 10.11).</summary>
    public bool CanWriteHistory => Variables.Contains("system_versioning_insert_history");

    /// <summary>Whether FLUSH TABLES makes nobody wait any more when it was given up. On MySQL everybody else then waits for the statement that it waited for.</summary>
    public bool FlushLeavesNothingBehind => Family == "mariadb";

    /// <summary>The <c>max_allowed_packet</c> that a row needs to be written; null where the server's is enough.</summary>
    public long? PacketFor(long row)
    {
        // A row becomes one statement: quotes and backslashes grow, and the statement has a head.
        long packet = (row * 5 / 4) + (64 * 1024);
        return row > 512 * 1024 && packet > MaxAllowedPacket ? ((packet / 1024) + 1) * 1024 : null;
    }

    private string Number => Version.Split('-')[0];

    internal static async Task<MySqlServer> ReadAsync(MySqlSession session, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> rows = await session.SelectAsync(
            ["VERSION()", "CURRENT_USER()", "@@max_allowed_packet", "@@lower_case_table_names", "CONCAT_WS(':', @@hostname, @@port, @@datadir)"], "", cancellation);
        IReadOnlyDictionary<string, string> variables = await session.VariablesAsync(cancellation);
        return new MySqlServer(
            rows[0][0]!, rows[0][1]!, long.Parse(rows[0][2]!, CultureInfo.InvariantCulture), int.Parse(rows[0][3]!, CultureInfo.InvariantCulture),
            variables.Keys.ToHashSet(StringComparer.OrdinalIgnoreCase))
        {
            Place = rows[0][4]!,
            HasPartialRevokes = variables.GetValueOrDefault("partial_revokes") == "ON",
        };
    }
}
