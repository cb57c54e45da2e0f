namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>What a restore made around a database: nobody else uses it as long as the database is not live.</summary>
/// <param name="Given">What was given to or by the roles, and has to be taken back before they are dropped.</param>
internal sealed record MadeAround(IReadOnlyList<MadeRole> Roles, IReadOnlyList<Grant> Given, IReadOnlyList<string> Tablespaces)
{
    public static MadeAround Nothing { get; } = new([], [], []);
}

/// <param name="Oid">By which a role that somebody made later under the same name is told from ours.</param>
internal sealed record MadeRole(string Name, string Oid);
