using System.Text.Json;
using System.Text.Json.Serialization;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Catalogue;

/// <summary>
/// What <c>metadata.json</c> says of a PostgreSQL source beside its tables (<c>details</c>). Field names are permanent once released.
/// All names are as <see cref="PsqlSession"/> gives them: with <see cref="ServerEncoding"/> SQL_ASCII, a character for each byte.
/// </summary>
public sealed record PostgresDetails
{
    /// <summary>As <c>server_version</c> has it: <c>15.18 (Debian 15.18-0+deb12u1)</c>.</summary>
    public required string ServerVersion { get; init; }

    /// <summary>As <c>server_version_num</c> has it: 150018.</summary>
    public required int ServerVersionNumber { get; init; }

    public required string ServerEncoding { get; init; }

    /// <summary>The write-ahead log position at the cut (of replay, on a standby); null where it may not be asked for.</summary>
    public required string? Lsn { get; init; }

    public required PostgresDatabase Database { get; init; }

    /// <summary><see cref="SchemaText.Algorithm"/>, a colon and 64 hex digits.</summary>
    public required string SchemaDigest { get; init; }

    /// <summary>Whether <c>globals.sql</c> holds the roles' password hashes.</summary>
    public required bool RolePasswords { get; init; }

    /// <summary>Every role of the server but the built-in ones.</summary>
    public required IReadOnlyList<PostgresRole> Roles { get; init; }

    public required IReadOnlyList<PostgresExtension> Extensions { get; init; }

    /// <summary>The collations of columns and indexes whose library has versions; null where there are none.</summary>
    public IReadOnlyList<PostgresCollation>? Collations { get; init; }

    /// <summary>The providers of all security labels; null for none.</summary>
    public IReadOnlyList<string>? LabelProviders { get; init; }

    /// <summary>
    /// The tables whose data was captured, in the order of <c>SourceMetadata.Tables</c>, and in which they are best loaded.
    /// </summary>
    public required IReadOnlyList<PostgresTable> Tables { get; init; }

    public required IReadOnlyList<PostgresSequence> Sequences { get; init; }

    /// <summary>In an order in which they can be refreshed.</summary>
    public required IReadOnlyList<PostgresMaterializedView> MaterializedViews { get; init; }

    public required PostgresLargeObjects LargeObjects { get; init; }

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, PostgresDetailsJson.Default.PostgresDetails);

    /// <exception cref="JsonException">It is not of this form.</exception>
    public static PostgresDetails From(JsonElement json)
    {
        PostgresDetails? details = json.ValueKind == JsonValueKind.Object ? json.Deserialize(PostgresDetailsJson.Default.PostgresDetails) : null;
        bool whole = details is { ServerVersion: not null, ServerEncoding: not null, SchemaDigest: not null, Roles: not null, Extensions: not null, Tables: not null, Sequences: not null }
            and { MaterializedViews: not null, LargeObjects.Paths: not null, Database: { Encoding: not null, LocaleProvider: not null, SecurityLabels: not null, Settings: not null } }
            && !details.Tables.Contains(null!) && !details.Extensions.Contains(null!) && !details.Sequences.Contains(null!) && !details.MaterializedViews.Contains(null!);
        return whole ? details! : throw new JsonException("a PostgreSQL source without its details");
    }
}

/// <summary>The database's own row in <c>pg_database</c>, in words.</summary>
public sealed record PostgresDatabase
{
    public required string Name { get; init; }

    public required string Owner { get; init; }

    public required string Encoding { get; init; }

    public required string Collate { get; init; }

    public required string Ctype { get; init; }

    /// <summary><c>libc</c>, <c>icu</c> or <c>builtin</c>.</summary>
    public required string LocaleProvider { get; init; }

    /// <summary>The ICU or built-in locale; null with libc.</summary>
    public string? Locale { get; init; }

    public string? IcuRules { get; init; }

    public string? CollationVersion { get; init; }

    public required string Tablespace { get; init; }

    /// <summary>-1 for no limit.</summary>
    public required int ConnectionLimit { get; init; }

    public required bool IsTemplate { get; init; }

    /// <summary>Null where the rights are the built-in ones.</summary>
    public IReadOnlyList<PostgresGrant>? Acl { get; init; }

    public string? Comment { get; init; }

    public required IReadOnlyList<PostgresSecurityLabel> SecurityLabels { get; init; }

    /// <summary>ALTER DATABASE … SET and ALTER ROLE … IN DATABASE … SET.</summary>
    public required IReadOnlyList<PostgresSetting> Settings { get; init; }
}

/// <param name="Grantee">Null for PUBLIC.</param>
public sealed record PostgresGrant(string Grantor, string? Grantee, string Privilege, bool Grantable);

public sealed record PostgresSecurityLabel(string Provider, string Label);

/// <param name="Role">Null for every role.</param>
/// <param name="Value">As in <c>pg_db_role_setting</c>; of a list with names (<c>search_path</c>), the list as it is written.</param>
public sealed record PostgresSetting(string? Role, string Name, string Value);

public sealed record PostgresRole(string Name, bool Login, bool Superuser);

/// <param name="Version">That the database has recorded: of the library by which its indexes are ordered.</param>
public sealed record PostgresCollation(string Schema, string Name, string Version)
{
    /// <summary>Both names, quoted.</summary>
    [JsonIgnore]
    public string QuotedName => SqlText.Identifier(Schema, Name);
}

/// <param name="ConfigurationTables">Quoted names of the tables whose rows are data, in the extension's order.</param>
/// <param name="ObjectIds">The object ids that its rows hold; null for none.</param>
/// <param name="Views">Views that are made anew from a corrected definition; null for none.</param>
/// <param name="Questions">What only the extension itself can say; null for nothing.</param>
public sealed record PostgresExtension(
    string Name, string Version, string Schema, IReadOnlyList<string> ConfigurationTables,
    IReadOnlyList<PostgresObjectId>? ObjectIds = null, IReadOnlyList<PostgresExtensionView>? Views = null, IReadOnlyList<PostgresQuestion>? Questions = null);

/// <summary>An object id of the captured server, and the name by which a restore finds the new one.</summary>
/// <param name="Type">What the name names, as PostgreSQL's types for object ids do: <c>regnamespace</c>.</param>
/// <param name="Name">Quoted where needed.</param>
public sealed record PostgresObjectId(string Id, string Type, string Name);

/// <param name="Columns">Of each of the extension's calls in the view, in order: the columns of its result.</param>
public sealed record PostgresExtensionView(string Schema, string Name, IReadOnlyList<IReadOnlyList<string>> Columns);

/// <param name="Sql">A query.</param>
/// <param name="Answer">A line for each row, values with a space between.</param>
public sealed record PostgresQuestion(string Sql, string Answer);

/// <param name="Schema">Plain, not quoted; likewise the others.</param>
/// <param name="Columns">What COPY was given, in order: without generated and dropped columns.</param>
/// <param name="Kind"><c>table</c>, <c>partition</c> or <c>extension</c>.</param>
/// <param name="Where">The extension's condition for the rows that are data; null for all rows.</param>
/// <param name="Extension">The extension that it belongs to; null for none.</param>
public sealed record PostgresTable(
    string Schema, string Name, IReadOnlyList<string> Columns, string Kind, bool Unlogged, string? Where = null, string? Extension = null)
{
    /// <summary>Both names, quoted: for SQL.</summary>
    [JsonIgnore]
    public string QuotedName => SqlText.Identifier(Schema, Name);

    /// <summary>The columns in brackets with a space before; nothing for a table without columns, which COPY takes without.</summary>
    [JsonIgnore]
    public string ColumnList => Columns.Count == 0 ? "" : $" ({GivenColumns})";

    /// <summary>The columns, quoted, with commas between.</summary>
    [JsonIgnore]
    public string GivenColumns => string.Join(", ", Columns.Select(SqlText.Identifier));
}

public sealed record PostgresSequence(string Schema, string Name, long LastValue, bool IsCalled);

public sealed record PostgresMaterializedView(string Schema, string Name, bool Populated);

/// <param name="Digest">Over the rows of <c>large-objects/pages.copy</c>: object id, page number, page (2 kB) as bytea.</param>
/// <param name="Rows">Pages.</param>
/// <param name="Paths">The files with the pages, in order; empty where there are no large objects.</param>
public sealed record PostgresLargeObjects(long Count, long Rows, string Digest, IReadOnlyList<string> Paths);

/// <summary>How details are written and read: as the rest of <c>metadata.json</c>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PostgresDetails))]
internal sealed partial class PostgresDetailsJson : JsonSerializerContext;
