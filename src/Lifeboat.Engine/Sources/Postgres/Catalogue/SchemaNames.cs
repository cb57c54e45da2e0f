using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Catalogue;

/// <summary>The names that <c>schema.sql</c> mentions: what the database needs of the server around it, and of who restores it.</summary>
internal sealed class SchemaNames
{
    private readonly HashSet<string> _all = [], _owners = [], _tablespaces = [];
    private readonly HashSet<(string Schema, string Owner)> _placed = [];
    private readonly Dictionary<string, string> _schemaOwners = [];
    private readonly List<(string Kind, string Name)> _superuserOnly = [];

    private SchemaNames()
    {
    }

    public static SchemaNames None { get; } = new();

    /// <summary>Every name, whatever it names.</summary>
    public IReadOnlySet<string> All => _all;

    /// <summary>Roles that objects are given to, or whose default privileges are set.</summary>
    public IReadOnlySet<string> Owners => _owners;

    public IReadOnlySet<string> Tablespaces => _tablespaces;

    /// <summary>Who owns something in which schema; in <c>""</c>, what takes the right to create in the database itself.</summary>
    public IReadOnlySet<(string Schema, string Owner)> Placed => _placed;

    public IReadOnlyDictionary<string, string> SchemaOwners => _schemaOwners;

    /// <summary>What only a superuser can make.</summary>
    public IReadOnlyList<(string Kind, string Name)> SuperuserOnly => _superuserOnly;

    /// <exception cref="FormatException">A quote or comment is never closed.</exception>
    public static SchemaNames Read(string sql)
    {
        SchemaNames names = new();
        foreach (SqlStatement statement in SqlStatements.Split(sql))
            names.Add(statement);
        return names;
    }

    private void Add(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        _all.UnionWith(tokens.Where(static token => token.IsName).Select(static token => token.Value));
        if (SuperuserStatements.Of(statement) is { } privileged)
            _superuserOnly.Add(privileged);
        if (tokens.Count > 4 && tokens[0].Is("alter") && tokens[^3].Is("owner") && tokens[^2].Is("to") && tokens[^1].IsName)
            AddOwner(tokens);
        if (tokens.Count > 5 && tokens[0].Is("alter") && tokens[1].Is("default") && tokens[4].Is("role"))
            _owners.Add(tokens[5].Value);
        if (tokens.Count == 4 && tokens[0].Is("set") && tokens[1].Is("default_tablespace") && tokens[^1].Value.Length > 0)
            _tablespaces.Add(tokens[^1].Value);
    }

    private void AddOwner(IReadOnlyList<SqlToken> tokens)
    {
        string owner = tokens[^1].Value;
        _owners.Add(owner);
        int dot = tokens.ToList().FindIndex(static token => token.IsSymbol('.'));
        if (tokens[1].Is("schema"))
            _schemaOwners[tokens[2].Value] = owner;
        else if (tokens[1].Is("publication"))
            _placed.Add(("", owner));
        else if (dot > 0)
            _placed.Add((tokens[dot - 1].Value, owner));
    }
}
