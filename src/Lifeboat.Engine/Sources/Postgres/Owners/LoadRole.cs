using System.Globalization;

namespace Lifeboat.Engine.Sources.Postgres.Owners;

/// <summary>A role that a restore makes to act as an owner with that owner's rights alone, and drops again.</summary>
internal static class LoadRole
{
    private const string Prefix = "lifeboat_load_";

    public static string Name(string restoreId, int number) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{restoreId}_{number}");

    /// <summary>Whether a name is of this form: nothing else is dropped by it.</summary>
    public static bool Is(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);
}
