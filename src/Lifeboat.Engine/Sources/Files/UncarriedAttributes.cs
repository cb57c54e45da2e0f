using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files;

/// <summary>
/// Counts what has an ACL, file capabilities or attributes of an application's own (xattr(7)), none of which are carried. What a security
/// module or a file system keeps there for itself (SELinux's labels, say) is made anew where files are restored, and is not counted.
/// </summary>
internal sealed class UncarriedAttributes(string source, Folder root)
{
    private long _count;
    private string _first = "";
    private string _attribute = "";

    public void Look(TreeItem item)
    {
        IReadOnlyList<string> names = item.Parent is { } parent ? parent.AttributeNames(item.Name) : root.AttributeNames([(byte)'.']);
        for (int i = 0; i < names.Count; i++)
        {
            if (!Matters(names[i]))
                continue;
            if (_count++ == 0)
                (_first, _attribute) = (Folder.Readable(TreePath.Relative(item.Path)), names[i]);
            return;
        }
    }

    /// <summary>Null where there was nothing of the kind.</summary>
    public Problem? Problem => _count == 0 ? null : new Problem(
        ErrorCodes.AttributesLeftOut,
        string.Create(CultureInfo.InvariantCulture, $"ACLs or extended attributes of {_count} files or folders are not in the snapshot: {_first} has {_attribute}, for example"),
        "keep them with `getfacl -R` or `getfattr -R -d -m -` in a file of the tree if they matter; `attributes: ignore` at the source says that they do not",
        source);

    private static bool Matters(string name) =>
        name.StartsWith("user.", StringComparison.Ordinal)
        || name is "system.posix_acl_access" or "system.posix_acl_default" or "security.capability" or "security.NTACL";
}
