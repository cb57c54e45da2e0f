namespace Lifeboat.Engine.Sources.Local;

/// <summary>
/// Which traits can be given to restored files. Only root can give files away; anybody else's restored files are his own, and then none
/// of them may be setuid or setgid where that was meant for another owner.
/// </summary>
internal sealed class TraitRules
{
    private readonly Owner? _self;

    private TraitRules(bool setsOwners, Owner? self)
    {
        SetsOwners = setsOwners;
        _self = self;
    }

    public bool SetsOwners { get; }

    /// <param name="created">The status of something that this process has just created.</param>
    public static TraitRules For(FileStatus created) => new(!OperatingSystem.IsWindows() && UnixFolder.IsRoot, created.Owner);

    /// <summary>What is set, and what is expected when it is looked at again.</summary>
    public FileTraits Effective(FileTraits wanted)
    {
        if (SetsOwners)
            return wanted;
        bool others = wanted.Owner is { } owner && owner != _self;
        return (others ? wanted.WithoutSetIds : wanted) with { Owner = null };
    }
}
