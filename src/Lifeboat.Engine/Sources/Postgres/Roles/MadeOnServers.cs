namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>
/// What the restores of one run made on servers beside databases. Two databases of one server were captured with the same roles and tablespaces: when the
/// first has made them, the second finds them there, though they were not when it was planned, and takes them for its own.
/// </summary>
internal sealed class MadeOnServers
{
    public HashSet<MadeRole> Roles { get; } = [];

    /// <summary>Names and object ids.</summary>
    public HashSet<(string Name, string Oid)> Tablespaces { get; } = [];
}
