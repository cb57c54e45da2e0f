using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>
/// The names that a restore gives databases: <c>DB__staging_ID</c> for what is built, <c>DB__before_ID</c> for what it replaces. A name has at most 64
/// characters (MySQL manual, 11.2.1); a long one is cut, and marked with a few digits of its hash lest two become one.
/// </summary>
internal sealed record RestoreNames(string Live, string Staging, string Before)
{
    /// <summary>For tables that are made to be looked at, while the staged ones are verified.</summary>
    public string Scratch => ScratchOf(Staging);
    private const int MaxCharacters = 64;

    public static RestoreNames For(string database, string restoreId) =>
        new(database, Fit(database, "__staging_" + restoreId), Fit(database, "__before_" + restoreId));

    /// <summary>The name of the scratch database beside a staging one.</summary>
    public static string ScratchOf(string staging) => staging.Replace("__staging_", "__scratch_", StringComparison.Ordinal);

    /// <summary>Fails where a journal's record names other databases than a restore of this one would have.</summary>
    /// <exception cref="Errors.LifeboatException">It does.</exception>
    public static void Require(DatabaseSwitchRecord record, string database, string source)
    {
        if (record.Live != database)
            throw SwitchNames.Foreign(source, $"the database {record.Live}");
        SwitchNames.Require(source, record.Incoming, record.Outgoing, id => For(database, id).Staging, id => For(database, id).Before);
    }

    private static string Fit(string name, string suffix)
    {
        int room = MaxCharacters - suffix.Length;
        if (name.Length <= room)
            return name + suffix;
        string mark = string.Create(CultureInfo.InvariantCulture, $"~{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 2))}");
        return name[..(room - mark.Length)] + mark + suffix;
    }
}
