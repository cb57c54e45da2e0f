using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Extensions;

/// <summary>A column of an extension's configuration table that holds object ids, which are others after a restore.</summary>
/// <param name="Table">As <see cref="SqlText.Identifier(string, string)"/> writes it.</param>
internal readonly record struct ObjectIdColumn(string Table, string Column);

/// <summary>
/// What a database with an extension needs beside <c>CREATE EXTENSION</c> and the rows of its configuration tables. Most extensions need
/// nothing and are not known here; docs/extensions.md tells when one does, and how it is added.
/// </summary>
internal abstract class KnownExtension
{
    public abstract string Name { get; }

    /// <summary>Whether a restore must find the captured version; otherwise the server's default does, with a warning.</summary>
    public virtual bool SameVersion => false;

    /// <summary>The library that the server must have loaded at its start (<c>shared_preload_libraries</c>); null for none.</summary>
    public virtual string? PreloadedLibrary => null;

    /// <summary>The only name under which a database may create the extension, whatever it is called afterwards; null for any.</summary>
    public virtual string? CreatedInDatabase => null;

    /// <summary>A server setting that names the database that the extension works for; null for none.</summary>
    public virtual string? DatabaseSetting => null;

    /// <summary>Gives each object id in <see cref="ObjectIdColumns"/>, what kind of name it has (<c>regnamespace</c>, …), and the name. Null for none.</summary>
    public virtual string? ObjectIdsSql => null;

    public virtual IReadOnlyList<ObjectIdColumn> ObjectIdColumns => [];

    /// <summary>What a transaction runs before it asks questions; "" for nothing.</summary>
    public virtual string SessionSql => "";

    /// <summary>Gives queries, one a row, whose answers must be the same after a restore. Null for none.</summary>
    public virtual string? QuestionsSql => null;

    /// <summary>SQL right after <c>CREATE EXTENSION</c>; null for none.</summary>
    public virtual string? AfterCreateSql => null;

    /// <summary>SQL when everything else is restored, before it is compared; null for none.</summary>
    public virtual string? AtEndSql => null;

    /// <summary>
    /// For an extension that changes rows by itself (jobs of its own, on schedule): SQL that lets it begin, in the database that has become the live one. A restored database
    /// does not act before that, nor does one that is kept aside. It may run again. Null for an extension that does not act.
    /// </summary>
    public virtual string? WhenLiveSql => null;

    /// <summary>Views whose definition the server writes in a form that it cannot read back, and what keeps a backup from being whole.</summary>
    public virtual Task<(IReadOnlyList<PostgresExtensionView> Views, IReadOnlyList<Problem> Problems)> ViewsAsync(
        PsqlSession session, CancellationToken cancellation) =>
        Task.FromResult<(IReadOnlyList<PostgresExtensionView>, IReadOnlyList<Problem>)>(([], []));

    /// <summary>Such a view's definition in a form that can be read.</summary>
    /// <param name="sql">A statement that holds the definition as the server writes it.</param>
    /// <param name="id">What stands for an object id that was captured: a literal.</param>
    public virtual string RepairView(string sql, PostgresExtensionView view, Func<string, string> id) => sql;
}

/// <summary>The registry: an extension more is a class and a line here.</summary>
internal static class KnownExtensions
{
    public static IReadOnlyList<KnownExtension> All { get; } = [new AgeExtension(), new CronExtension(), new TimescaleExtension()];

    public static KnownExtension? Find(string name) => All.FirstOrDefault(known => known.Name == name);
}
