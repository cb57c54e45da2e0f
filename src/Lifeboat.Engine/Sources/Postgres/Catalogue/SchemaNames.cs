using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Catalogue;

/// <summary>The names that <c>schema.sql</c> mentions: what the database needs of the server around it.</summary>
/// <param name="All">Every name, whatever it names.</param>
/// <param name="Owners">Roles that objects are given to.</param>
internal sealed record SchemaNames(IReadOnlySet<string> All, IReadOnlySet<string> Owners, IReadOnlySet<string> Tablespaces)
{
    /// <exception cref="FormatException">A quote or comment is never closed.</exception>
    public static SchemaNames Read(string sql)
    {
        HashSet<string> all = [], owners = [], spaces = [];
        foreach (IReadOnlyList<SqlToken> tokens in SqlStatements.Split(sql).Select(static statement => statement.Tokens))
        {
            all.UnionWith(tokens.Where(static token => token.IsName).Select(static token => token.Value));
            if (tokens.Count > 4 && tokens[0].Is("alter") && tokens[^3].Is("owner") && tokens[^2].Is("to") && tokens[^1].IsName)
                owners.Add(tokens[^1].Value);
            if (tokens.Count == 4 && tokens[0].Is("set") && tokens[1].Is("default_tablespace") && tokens[^1].Value.Length > 0)
                spaces.Add(tokens[^1].Value);
        }

        return new SchemaNames(all, owners, spaces);
    }
}
