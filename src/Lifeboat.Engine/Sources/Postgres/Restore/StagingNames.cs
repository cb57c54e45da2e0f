using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// The names that a restore gives databases: <c>DB__staging_ID</c> for what is built, <c>DB__before_ID</c> for what it replaces,
/// <c>DB__reference_ID</c> for what it is compared with. PostgreSQL cuts names at 63
/// bytes without asking (NAMEDATALEN), so a long database name is shortened here, and marked with a few digits of its hash lest two become one.
/// </summary>
internal sealed record StagingNames(string Live, string Staging, string Before, string Reference)
{
    public const int MaxNameBytes = 63;

    public string RestoreId { get; init; } = "";

    public static StagingNames For(string database, string restoreId) =>
        new(database, Fit(database, "__staging_" + restoreId), Fit(database, "__before_" + restoreId), Fit(database, "__reference_" + restoreId)) { RestoreId = restoreId };

    /// <summary>Fails where a journal's record names other databases than a restore of this one would have.</summary>
    /// <exception cref="Errors.LifeboatException">It does.</exception>
    public static void Require(DatabaseSwitchRecord record, string database, string source)
    {
        if (record.Live != database)
            throw SwitchNames.Foreign(source, $"the database {record.Live}");
        if (record.Reference is { } reference && !SwitchNames.IsNamed(reference, "reference_", id => For(database, id).Reference))
            throw SwitchNames.Foreign(source, $"the database {reference}");
        SwitchNames.Require(source, record.Incoming, record.Outgoing, id => For(database, id).Staging, id => For(database, id).Before);
    }

    private static string Fit(string name, string suffix)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        int room = MaxNameBytes - Encoding.UTF8.GetByteCount(suffix);
        if (bytes.Length <= room)
            return name + suffix;
        string mark = string.Create(CultureInfo.InvariantCulture, $"~{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 2))}");
        int keep = Math.Max(0, room - mark.Length);
        while (keep > 0 && (bytes[keep] & 0xC0) == 0x80)
            keep--;
        return Encoding.UTF8.GetString(bytes, 0, keep) + mark + suffix;
    }
}
