using Lifeboat.Engine.Sources.Postgres.Parts;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>A constraint that is there, and that the rows are yet to be held against.</summary>
/// <param name="On">The table or domain.</param>
/// <param name="Kind">As in <c>pg_constraint</c>: <c>f</c> or <c>c</c>.</param>
internal sealed record ConstraintValidation(RelationName On, string Name, char Kind, bool IsDomain)
{
    public string Sql => $"ALTER {(IsDomain ? "DOMAIN" : "TABLE")} {On.Quoted} VALIDATE CONSTRAINT {SqlText.Identifier(Name)}";

    /// <summary>For messages.</summary>
    public string Words => $"{(Kind == 'f' ? "foreign key" : "check")} {Name} of {(IsDomain ? "domain " : "")}{On}";
}
